# The numbers are those of https://github.com/dev-sec/cis-docker-benchmark. Left out, with the reason:
# docker-2.6 (the Engine has no TCP socket), docker-2.8 (user namespaces: homes are one user's on all nodes),
# docker-2.14 (live restore: Docker refuses it with Swarm), docker-2.15 (this is a Swarm),
# docker-2.18 (the proxy: the hub is asked at 127.0.0.1), docker-2.19 (the overlay passes inside one VPC, between two security groups).

control 'docker-2.x' do
  impact 1.0
  title 'The Engine'
  describe json('/etc/docker/daemon.json') do
    its('icc') { should eq false }
    its('no-new-privileges') { should eq true }
    its(%w(log-opts max-size)) { should_not be_nil }
    its('seccomp-profile') { should eq '/etc/docker/labswarm-seccomp.json' }
    its('insecure-registries') { should be_nil }
    its('hosts') { should be_nil }
  end
  # Nobody but root and who is in the group.
  describe port(2375) do
    it { should_not be_listening }
  end
  describe port(2376) do
    it { should_not be_listening }
  end
end

control 'docker-3.x' do
  impact 1.0
  title 'The Engine\'s files'
  describe file('/etc/docker') do
    it { should be_owned_by 'root' }
    its('mode') { should cmp '0755' }
  end
  describe file('/etc/docker/daemon.json') do
    it { should be_owned_by 'root' }
    its('mode') { should cmp '0644' }
  end
  # Docker's default would let a container open AF_ALG sockets: CVE-2026-31431.
  describe json('/etc/docker/labswarm-seccomp.json') do
    its('defaultAction') { should eq 'SCMP_ACT_ERRNO' }
  end
  describe file('/run/docker.sock') do
    it { should be_socket }
    it { should be_owned_by 'root' }
    its('group') { should eq 'docker' }
    its('mode') { should cmp '0660' }
  end
  describe etc_group.where(name: 'docker') do
    its('users') { should be_empty }
  end
end
