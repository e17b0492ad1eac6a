control 'labswarm-image-1' do
  impact 1.0
  title 'It started whole'
  describe command('systemctl list-units --state=failed --plain --no-legend') do
    its('stdout') { should eq '' }
  end
  describe.one do
    %w(amazon-ssm-agent snap.amazon-ssm-agent.amazon-ssm-agent).each do |name|
      describe systemd_service(name) do
        it { should be_running }
      end
    end
  end
end

control 'labswarm-image-2' do
  impact 1.0
  title 'It says what it is'
  describe json('/etc/labswarm/image.json') do
    its('image') { should match(/\Achef-(client|server|workstation)\z/) }
    its('commit') { should match(/\A\h{7,40}\z|\AHEAD\z/) }
  end
end

control 'labswarm-image-3' do
  impact 1.0
  title 'The metadata answers those who show a token'
  describe http('http://169.254.169.254/latest/meta-data/', open_timeout: 2, read_timeout: 2) do
    its('status') { should eq 401 }
  end
end

control 'labswarm-image-4' do
  impact 1.0
  title 'It has an identity of its own, and nobody logs in as root'
  describe file('/etc/machine-id') do
    its('content') { should match(/\A\h{32}\n\z/) }
  end
  describe file('/root/.ssh/authorized_keys') do
    its('content') { should_not match(/^(ssh|ecdsa|sk)-/) }
  end if file('/root/.ssh/authorized_keys').exist?
end
