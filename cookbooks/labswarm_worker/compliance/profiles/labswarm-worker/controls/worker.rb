include_controls 'labswarm-node'

control 'labswarm-worker-1' do
  impact 1.0
  title 'What a student\'s container cannot reach'
  describe systemd_service('labswarm-student-firewall.service') do
    it { should be_enabled }
    it { should be_running }
  end
  describe command('systemctl show --property Requires --value docker.service') do
    its('stdout') { should match(/labswarm-student-firewall\.service/) }
  end
  # The metadata, and the VPC with the Docker, Swarm and Chef ports in it.
  describe iptables(chain: 'DOCKER-USER') do
    %w(10.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16).each do |block|
      it { should have_rule("-A DOCKER-USER -d #{block} -j REJECT --reject-with icmp-port-unreachable") }
    end
  end
  # The worker's own ports.
  describe iptables(chain: 'LABSWARM-HOST') do
    it { should have_rule('-A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable') }
  end
  describe iptables(chain: 'INPUT') do
    it { should have_rule('-A INPUT -j LABSWARM-HOST') }
  end
  describe iptables(chain: 'FORWARD') do
    it { should have_rule('-A FORWARD -j DOCKER-USER') }
  end
end

control 'labswarm-worker-2' do
  impact 1.0
  title 'The tool that the app calls'
  describe command('labswarm-node') do
    it { should exist }
  end
  describe json('/etc/labswarm/node.json') do
    its('role') { should eq 'worker' }
    its('hub') { should be_nil }
  end
end

control 'labswarm-worker-3' do
  impact 1.0
  title 'Homes are mounted with TLS'
  only_if('the cluster has EFS') { json('/etc/labswarm/ground.json')['efs'] }
  # With TLS, the mount is the tunnel's end on this machine.
  describe mount('/homes') do
    it { should be_mounted }
    its('device') { should match(/\A127\.0\.0\.1:/) }
    its('type') { should eq 'nfs4' }
  end
end

control 'labswarm-worker-4' do
  impact 1.0
  title 'The worker reports when its homes cannot be used'
  describe systemd_service('labswarm-fitness.service') do
    it { should be_enabled }
    it { should be_running }
  end
end
