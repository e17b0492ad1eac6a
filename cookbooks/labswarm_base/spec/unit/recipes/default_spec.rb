require_relative '../../spec_helper'

describe 'labswarm_base::default' do
  before { answers }
  subject(:run) { runner.converge(described_recipe) }

  it 'has the packages that every node needs' do
    expect(run).to install_labswarm_packages('what every node has').with(packages: %w(chrony docker.io iptables jq unattended-upgrades))
  end

  it 'includes each of its parts' do
    %w(hardening time journald updates node_config).each { |part| expect(run).to include_recipe("labswarm_base::#{part}") }
  end
end

describe 'labswarm_base::hardening' do
  before { answers }
  subject(:run) { runner.converge(described_recipe) }

  it 'sets the kernel parameters, and not those that a Swarm node needs otherwise' do
    parameters = run.file('/etc/sysctl.d/99-labswarm.conf').content
    expect(parameters).to include("net.ipv4.conf.all.rp_filter = 1\n", "kernel.kptr_restrict = 2\n")
    expect(parameters).not_to match(/ip_forward|modules_disabled/)
    expect(run.file('/etc/sysctl.d/99-labswarm.conf')).to notify('service[systemd-sysctl]').to(:restart).delayed
  end

  it 'lets no core dumps be written and no unused modules be loaded' do
    expect(run).to create_file('/etc/security/limits.d/10-labswarm.conf').with(content: "* hard core 0\n")
    expect(run.file('/etc/modprobe.d/dev-sec.conf').content).to include("install cramfs /bin/true\n")
    expect(run.file('/etc/modprobe.d/dev-sec.conf').content).not_to include('vfat')
  end

  it 'lets nobody in by SSH' do
    %w(ssh.socket ssh.service).each do |unit|
      expect(run).to stop_systemd_unit(unit)
      expect(run).to disable_systemd_unit(unit)
    end
  end

  it 'leaves SSH on where its attribute asks for it' do
    run = runner(attributes: { 'labswarm_base' => { 'ssh' => true } }).converge(described_recipe)
    expect(run).not_to stop_systemd_unit('ssh.service')
  end

  it 'has the files of the Engine watched' do
    expect(run.file('/etc/audit/rules.d/labswarm.rules').content).to include("-w /etc/docker -p wa -k labswarm\n")
    expect(run.file('/etc/audit/rules.d/labswarm.rules')).to notify('execute[augenrules --load]').to(:run)
    expect(run).not_to run_execute('augenrules --load')
  end
end

describe 'labswarm_base::time' do
  subject(:run) { runner.converge(described_recipe) }

  it "asks Amazon's time server" do
    expect(run).to create_file('/etc/chrony/sources.d/labswarm.sources')
      .with(content: "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4\n")
    expect(run).to enable_service('chrony')
    expect(run).to start_service('chrony')
  end
end

describe 'labswarm_base::journald' do
  subject(:run) { runner.converge(described_recipe) }

  it 'keeps the journal, up to a size and an age' do
    expect(run.file('/etc/systemd/journald.conf.d/labswarm.conf').content)
      .to eq("[Journal]\nStorage=persistent\nSystemMaxUse=1G\nMaxRetentionSec=1month\nForwardToSyslog=no\n")
  end
end

describe 'labswarm_base::updates' do
  subject(:run) { runner.converge(described_recipe) }

  it 'restarts neither the machine nor the Engine in its daily updates' do
    settings = run.file('/etc/apt/apt.conf.d/52labswarm').content
    expect(settings).to include('Unattended-Upgrade::Automatic-Reboot "false";', '"^docker\.io$";', '"^containerd$";', '"^runc$";')
  end

  it 'leaves the Engine of a worker to its next image' do
    expect(run).to delete_systemd_unit('labswarm-engine-update.service')
    expect(run).to delete_systemd_unit('labswarm-engine-update.timer')
  end

  it 'updates the Engine at a time of its own where one is given' do
    run = runner(attributes: { 'labswarm_base' => { 'engine_updates' => 'Sun *-*-* 04:00:00' } }).converge(described_recipe)
    expect(run.systemd_unit('labswarm-engine-update.service').content['Service']['ExecStart'].last)
      .to end_with('install -y --only-upgrade docker.io containerd runc')
    expect(run.systemd_unit('labswarm-engine-update.timer').content['Timer']['OnCalendar']).to eq('Sun *-*-* 04:00:00')
    expect(run).to enable_systemd_unit('labswarm-engine-update.timer')
  end
end

describe 'labswarm_base::node_config' do
  it "takes the id and the address of the instance's metadata" do
    run = runner.converge(described_recipe)
    expect(run).to write_labswarm_node_config('/etc/labswarm/node.json')
      .with(instance_id: 'i-0123456789abcdef0', address: '10.0.2.100', chef_client: 'chef-client', hub: nil)
  end

  it "converges by its cluster's policy, but a hub by its image's cookbooks" do
    expect(runner.converge(described_recipe)).to write_labswarm_node_config('/etc/labswarm/node.json').with(policy: 'labswarm-worker')
    expect(runner(ground: HUB_GROUND).converge(described_recipe)).to write_labswarm_node_config('/etc/labswarm/node.json').with(policy: nil)
  end

  it 'says where its API is on the hub' do
    run = runner(ground: HUB_GROUND).converge(described_recipe)
    expect(run).to write_labswarm_node_config('/etc/labswarm/node.json')
      .with(hub: { 'api_url' => 'http://127.0.0.1:8081/hub/api', 'token_file' => '/srv/labswarm/hub/manager.token',
                   'proxy_url' => 'http://127.0.0.1:8000' })
  end

  it 'names the remedy where there is no metadata' do
    nowhere = runner
    nowhere.node.automatic['ec2'] = {}
    expect { nowhere.converge(described_recipe) }.to raise_error(/metadata is not reached/)
  end

  it 'names the writer of the facts where there are none' do
    without = runner(attributes: { 'labswarm_base' => { 'ground' => '/nonexistent/ground.json' } })
    expect { without.converge(described_recipe) }.to raise_error(%r{/nonexistent/ground.json is missing})
  end
end

describe 'labswarm_base::copies' do
  subject(:run) { runner.converge(described_recipe) }

  it 'says nothing where the copies are the same, or there is one' do
    allow(Labswarm::Copies).to receive(:differing).and_return([])
    expect(run).not_to write_log('cookbooks differ')
    expect(run).to delete_file('/etc/labswarm/cookbooks-differ')
  end

  it 'names the files that differ' do
    allow(Labswarm::Copies).to receive(:differing).and_return(['labswarm_base/recipes/time.rb'])
    expect(run).to write_log('cookbooks differ').with(level: :warn, message: %r{labswarm_base/recipes/time\.rb})
    expect(run).to create_file('/etc/labswarm/cookbooks-differ').with(content: "labswarm_base/recipes/time.rb\n")
  end
end
