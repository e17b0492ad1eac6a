require_relative '../../spec_helper'

OURS = %w(
  labswarm_engine labswarm_homes labswarm_metrics labswarm_node_config labswarm_packages labswarm_student_firewall
).freeze

describe 'labswarm_worker::default' do
  it 'includes the base and each of its parts' do
    run = runner.converge(described_recipe)
    %w(labswarm_base labswarm_worker::firewall labswarm_worker::engine labswarm_worker::homes labswarm_worker::fitness
       labswarm_worker::class labswarm_worker::metrics).each { |recipe| expect(run).to include_recipe(recipe) }
  end

  it 'has the firewall before the Engine is restarted' do
    names = runner.converge(described_recipe).resource_collection.map(&:declared_type)
    expect(names.index(:labswarm_student_firewall)).to be < names.index(:labswarm_engine)
  end

  # The launch machine asks for the join (labswarm-node join), and another one for the drain: twice
  # if need be. A converge takes no part in it, in any state of the node and with any token.
  %w(inactive active).each do |state|
    it "neither joins, leaves nor drains when it is #{state} in the Swarm" do
      answers(*engine(state))
      run = runner(step_into: OURS).converge(described_recipe)
      commands = run.resource_collection.all_resources.select { |resource| resource.is_a?(Chef::Resource::Execute) }
      expect(commands.map { |resource| Array(resource.command).join(' ') }).to all(match(/\A(chattr \+i|augenrules)/))
      texts = run.resource_collection.all_resources.filter_map { |resource| resource.content.to_s if resource.respond_to?(:content) }
      expect(texts.grep(/swarm (join|leave|init)|labswarm-node (join|leave)|SWMTKN/)).to be_empty
    end
  end

  it 'changes nothing of the Engine while its students are moved away' do
    answers(*engine('active'), [%w(mountpoint --quiet /homes), ''])
    run = runner(step_into: OURS).converge(described_recipe)
    expect(run).not_to create_file('/etc/docker/daemon.json')
    expect(run).not_to restart_service('docker')
    expect(run).not_to run_execute('chattr +i /homes')
  end
end

describe 'labswarm_worker::firewall' do
  it "keeps students from the private ranges and from the VPC's own" do
    run = runner.converge(described_recipe)
    expect(run).to apply_labswarm_student_firewall('/etc/labswarm').with(
      unreachable: %w(10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 198.18.0.0/16),
      reachable: [],
      dns_server: '169.254.169.253'
    )
  end
end

describe 'labswarm_worker::engine' do
  it 'has containers ask the name server that they reach' do
    run = runner.converge(described_recipe)
    expect(run).to configure_labswarm_engine('i-0123456789abcdef0')
      .with(cluster: 'db', settings: hash_including('icc' => false, 'no-new-privileges' => true, 'dns' => ['169.254.169.253']), restart_member: false)
  end
end

describe 'labswarm_worker::homes' do
  it 'mounts the homes' do
    expect(runner.converge(described_recipe)).to mount_labswarm_homes('/homes')
      .with(file_system_id: 'fs-0123456789abcdef0', access_point_id: 'fsap-0123456789abcdef0')
  end

  it 'has a folder where there is no EFS' do
    run = runner(ground: GROUND.merge('efs' => nil)).converge(described_recipe)
    expect(run).to create_directory('/homes').with(mode: '0711')
  end
end

describe 'labswarm_worker::fitness' do
  it 'reports lost homes, for ever' do
    unit = runner.converge(described_recipe).systemd_unit('labswarm-fitness.service')
    expect(unit.content['Service']).to include('ExecStart' => '/usr/local/bin/labswarm-fitness --homes /homes', 'Restart' => 'always')
  end

  it 'sees the mounts of the machine' do
    service = runner.converge(described_recipe).systemd_unit('labswarm-fitness.service').content['Service']
    expect(service.keys.grep(/\A(Protect|Private|ReadOnly|Inaccessible|DynamicUser)/)).to be_empty
  end
end

describe 'labswarm_worker::class' do
  it 'keeps SQLite off the homes' do
    run = runner.converge(described_recipe)
    expect(run).to create_cookbook_file('/etc/labswarm/class/jupyter_server_config.json').with(mode: '0644')
    expect(run).to create_cookbook_file('/etc/labswarm/class/ipython_config.py').with(mode: '0644')
  end

  it 'has the extension that notifies a student before the machine goes' do
    run = runner.converge(described_recipe)
    expect(run).to create_cookbook_file('/etc/labswarm/class/jupyter_server_path.py').with(mode: '0644')
    expect(run).to create_cookbook_file('/etc/labswarm/class/labswarm_notice.py').with(mode: '0644')
    expect(run).to create_cookbook_file('/etc/labswarm/class/labswarm_limits.py').with(mode: '0644')
  end

  it "has the page's settings and its extension, without files of an earlier one" do
    run = runner.converge(described_recipe)
    expect(run).to create_cookbook_file('/etc/labswarm/class/overrides.json').with(mode: '0644')
    expect(run).to create_remote_directory('/etc/labswarm/class/jupyterlab-labswarm')
      .with(source: 'jupyterlab-labswarm', mode: '0755', files_mode: '0644', purge: true)
  end
end

describe 'labswarm_worker::metrics' do
  let(:config) { '/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json' }

  it "adds to its group's metric" do
    expect(runner.converge(described_recipe)).to collect_labswarm_metrics(config)
      .with(dimensions: { 'AutoScalingGroupName' => 'labswarm-db-workers' })
  end

  it 'collects no metrics where its attribute says so' do
    run = runner(attributes: { 'labswarm_base' => { 'metrics' => false } }).converge(described_recipe)
    expect(run).not_to collect_labswarm_metrics(config)
  end
end
