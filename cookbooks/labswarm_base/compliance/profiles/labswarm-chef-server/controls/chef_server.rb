control 'labswarm-chef-server-1' do
  impact 1.0
  title 'It answers by HTTPS only'
  only_if('the server is not set up before its first start with a ground.json') { file('/etc/labswarm/ground.json').exist? }
  describe port(443) do
    it { should be_listening }
  end
  describe ssl(port: 443).protocols('ssl2', 'ssl3', 'tls1.0', 'tls1.1') do
    it { should_not be_enabled }
  end
  describe http('https://localhost/_status', ssl_verify: false) do
    its('status') { should eq 200 }
  end
  # Its own parts talk on this machine alone.
  [5432, 8000, 9463, 9090].each do |port|
    describe port(port) do
      its('addresses') { should_not include('0.0.0.0') }
    end
  end
end

control 'labswarm-chef-server-2' do
  impact 1.0
  title 'The admin\'s key cannot be copied: its private half is in KMS'
  describe command("find /etc /root /home /opt /var/opt /tmp -xdev -name 'labswarm*.pem' -print") do
    its('stdout') { should eq '' }
  end
end

control 'labswarm-chef-server-3' do
  impact 1.0
  title 'Its own secrets are root\'s'
  %w(/etc/opscode /etc/cinc-project).select { |name| file(name).exist? }.each do |name|
    describe command("find #{name} -type f \\( -name '*.pem' -o -name 'private-chef-secrets.json' \\) -perm /0007 -print") do
      its('stdout') { should eq '' }
    end
  end
end

control 'labswarm-chef-server-4' do
  impact 1.0
  title 'The metadata answers those who show a token'
  describe http('http://169.254.169.254/latest/meta-data/', open_timeout: 2, read_timeout: 2) do
    its('status') { should eq 401 }
  end
end

control 'labswarm-chef-server-5' do
  impact 0.7
  title 'Nobody comes in by SSH'
  only_if('Packer comes by SSH until the first start closes it') { file('/etc/labswarm/ground.json').exist? }
  describe port(22) do
    it { should_not be_listening }
  end
end
