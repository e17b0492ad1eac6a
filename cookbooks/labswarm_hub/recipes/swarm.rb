labswarm_engine node['labswarm_base']['instance_id'] || node.read('ec2', 'instance_id') do
  cluster Labswarm::Ground.read(node['labswarm_base']['ground'])['cluster']
  settings node['labswarm_base']['engine'].to_h.merge('dns' => [node['labswarm_base']['dns_server']])
  # Only the hub's own container runs here, and comes back.
  restart_member true
end

labswarm_swarm node['labswarm_base']['address'] || node.read('ec2', 'local_ipv4') do
  address_pool node['labswarm_hub']['address_pool']
  subnet_size node['labswarm_hub']['subnet_size']
end

labswarm_network Labswarm::Hub::NETWORK

cookbook_file Labswarm::Hub::TOOL do
  source 'labswarm_hub_host.py'
  mode '0755'
end

# The workers' join token, where they read it. Until AWS answers it is tried again, and the converge goes on.
systemd_unit 'labswarm-join-secret.service' do
  content(
    'Unit' => {
      'Description' => "The Swarm's join token, for the workers",
      'After' => 'docker.service network-online.target',
      'Wants' => 'network-online.target',
    },
    'Service' => {
      'ExecStart' => "#{Labswarm::Hub::TOOL} join-secret",
      'RemainAfterExit' => 'yes',
      'Restart' => 'on-failure',
      'RestartSec' => 10,
    },
    'Install' => { 'WantedBy' => 'multi-user.target' }
  )
  action [:create, :enable, :start]
end

systemd_unit 'labswarm-rotate-join-token.service' do
  content(
    'Unit' => { 'Description' => "A new join token of the Swarm, in the old one's place", 'After' => 'docker.service' },
    'Service' => {
      'Type' => 'oneshot',
      'ExecStart' => "#{Labswarm::Hub::TOOL} join-secret --rotate",
      'Restart' => 'on-failure',
      'RestartSec' => 10,
    }
  )
  action :create
end

systemd_unit 'labswarm-rotate-join-token.timer' do
  content(
    'Unit' => { 'Description' => 'A new join token each so often' },
    'Timer' => { 'OnCalendar' => node['labswarm_hub']['rotate_join_token_at'], 'RandomizedDelaySec' => 900, 'Persistent' => 'true' },
    'Install' => { 'WantedBy' => 'timers.target' }
  )
  action [:create, :enable, :start]
end
