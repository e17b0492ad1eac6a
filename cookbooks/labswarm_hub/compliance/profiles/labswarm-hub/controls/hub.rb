include_controls 'labswarm-node'

control 'labswarm-hub-1' do
  impact 1.0
  title 'The Swarm\'s only manager, with networks for a whole class'
  describe command("docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Managers}}'") do
    its('stdout.strip') { should eq 'active true 1' }
  end
  describe command("docker network inspect --format '{{.Driver}} {{(index .IPAM.Config 0).Subnet}}' labswarm") do
    its('stdout') { should match(%r{\Aoverlay \S+/20$}) }
  end
end

control 'labswarm-hub-2' do
  impact 1.0
  title 'The hub comes back by itself'
  %w(labswarm-hub labswarm-proxy).each do |service|
    describe command("docker service inspect --format '{{.Spec.TaskTemplate.RestartPolicy.Condition}}' #{service}") do
      its('stdout.strip') { should eq 'any' }
    end
  end
  %w(caddy.service labswarm-snapshot.service labswarm-document.service labswarm-labs.service labswarm-rotate-join-token.timer).each do |unit|
    describe systemd_service(unit) do
      it { should be_enabled }
      it { should be_running }
    end
  end
end

control 'labswarm-hub-3' do
  impact 1.0
  title 'The only secrets on its disk are the tokens of its own API and of its proxy\'s'
  describe file('/srv/labswarm/hub') do
    its('mode') { should cmp '0700' }
    it { should be_owned_by 'root' }
  end
  %w(manager labs).each do |name|
    describe file("/srv/labswarm/hub/#{name}.token") do
      its('mode') { should cmp '0600' }
      its('content') { should match(/\A\h{64}\n\z/) }
    end
  end
  describe file('/srv/labswarm/hub/proxy') do
    its('mode') { should cmp '0700' }
    its('uid') { should eq 65_534 }
  end
end

control 'labswarm-hub-4' do
  impact 1.0
  title 'Students come by HTTPS'
  describe port(443) do
    it { should be_listening }
  end
  describe command('labswarm-manager') do
    it { should exist }
  end
end
