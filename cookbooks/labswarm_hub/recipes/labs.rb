# docs/reference/bookings.md

prefix = Labswarm::Ground.read(node['labswarm_base']['ground'])['prefix']
hub = node['labswarm_hub']
profiles = hub['profiles'].keys.sort.flat_map { |name| ['--profile', name] }

systemd_unit 'labswarm-labs.service' do
  content(
    'Unit' => {
      'Description' => 'The page on which instructors book labs',
      'Wants' => 'network-online.target',
      'After' => 'docker.service network-online.target',
      'StartLimitIntervalSec' => 0,
    },
    'Service' => {
      'ExecStart' => [hub['labs_command'], '--token-file', '%d/labs-token', '--hub-token-file', '%d/hub-token', '--idle', hub['idle_timeout_s'], *profiles].join(' '),
      # Of an app that has another prefix than the usual one.
      'Environment' => prefix && "LABSWARM_PREFIX=#{prefix}",
      'Restart' => 'always',
      'RestartSec' => 5,
      # It reads forms of persons and calls AWS: no Docker, no files, no other user's processes.
      'DynamicUser' => 'yes',
      # The second is for the key of each student's server, which takes messages.
      'LoadCredential' => ["labs-token:#{hub['labs_token_file']}", "hub-token:#{node['labswarm_base']['hub_token_file']}"],
      'CapabilityBoundingSet' => '',
      'MemoryMax' => '512M',
      'PrivateDevices' => 'yes',
      'ProtectControlGroups' => 'yes',
      'ProtectHome' => 'yes',
      'ProtectKernelModules' => 'yes',
      'ProtectKernelTunables' => 'yes',
      'ProtectProc' => 'invisible',
      'RestrictAddressFamilies' => 'AF_INET AF_INET6 AF_UNIX',
    }.compact,
    'Install' => { 'WantedBy' => 'multi-user.target' }
  )
  action [:create, :enable, :start]
  notifies :restart, 'systemd_unit[labswarm-labs.service]'
  subscribes :restart, 'labswarm_node_config[/etc/labswarm/node.json]'
  subscribes :restart, "file[#{hub['labs_token_file']}]"
  subscribes :restart, "file[#{node['labswarm_base']['hub_token_file']}]"
end
