ec2 = input('ec2')
node = json('/etc/labswarm/node.json')

control 'labswarm-node-1' do
  impact 1.0
  title 'It knows what it is, and the Swarm does too'
  describe node do
    its('instance_id') { should match(/\Ai-[0-9a-f]{8,17}\z/) }
    its(%w(chef node_name)) { should eq "#{node['cluster']}-#{node['instance_id']}" }
  end
  describe json('/etc/docker/daemon.json') do
    its('labels') { should include "labswarm.instance=#{node['instance_id']}" }
    its('labels') { should include "labswarm.cluster=#{node['cluster']}" }
  end
end

control 'labswarm-node-2' do
  impact 1.0
  title 'No join token is on a disk'
  # Docker's own folder is the Swarm's state, encrypted; the journal is binary.
  describe command("grep --recursive --files-with-matches --devices=skip --exclude-dir=docker 'SWMTKN-1-[0-9a-z]\\{25\\}' /etc /opt /home /root /srv /var /tmp 2>/dev/null") do
    its('stdout') { should eq '' }
  end
  describe command("journalctl --quiet --grep 'SWMTKN-1-[0-9a-z]{25}' --lines 1") do
    its('stdout') { should eq '' }
  end
end

control 'labswarm-node-3' do
  impact 1.0
  title 'Homes are not for everybody\'s eyes'
  describe directory('/homes') do
    it { should exist }
    it { should_not be_readable.by('other') }
    it { should_not be_writable.by('other') }
  end
  describe command('find /homes -mindepth 1 -maxdepth 1 -perm /0077') do
    its('stdout') { should eq '' }
  end
end

control 'labswarm-node-4' do
  impact 1.0
  title 'The Chef key is the node\'s own, and root\'s alone'
  only_if('there is none before the first `labswarm-node identify`') { file('/etc/labswarm/chef/client.pem').exist? }
  describe file('/etc/labswarm/chef/client.pem') do
    it { should be_owned_by 'root' }
    its('mode') { should cmp '0600' }
  end
end

control 'labswarm-node-5' do
  impact 1.0
  title 'The metadata answers those who show a token, on this machine only'
  only_if('this is no EC2 instance') { ec2 }
  describe http('http://169.254.169.254/latest/meta-data/', open_timeout: 2, read_timeout: 2) do
    its('status') { should eq 401 }
  end
  # With a hop limit of 1 the answer does not reach a container, with any firewall.
  image = node['images'].first
  describe command("docker image inspect #{image}") do
    its('exit_status') { should eq 0 }
  end unless input('ssh')
  describe command("docker run --rm --pull=never --entrypoint python3 #{image} -c " \
    "'import urllib.request as u; u.urlopen(u.Request(\"http://169.254.169.254/latest/api/token\", method=\"PUT\", " \
    "headers={\"X-aws-ec2-metadata-token-ttl-seconds\": \"60\"}), timeout=3)'") do
    its('exit_status') { should eq 1 }
  end
end

control 'labswarm-node-7' do
  impact 0.7
  title 'The cookbooks of its image and of the Chef Server are the same'
  describe file('/etc/labswarm/cookbooks-differ') do
    it { should_not exist }
  end
end

control 'labswarm-node-6' do
  impact 0.7
  title 'Nobody comes in by SSH, and updates come by themselves'
  describe port(22) do
    it { should_not be_listening }
  end unless input('ssh')
  describe file('/etc/apt/apt.conf.d/20auto-upgrades') do
    its('content') { should match(/Unattended-Upgrade "1"/) }
  end
  describe file('/etc/apt/apt.conf.d/52labswarm') do
    its('content') { should match(/Automatic-Reboot "false"/) }
  end
end
