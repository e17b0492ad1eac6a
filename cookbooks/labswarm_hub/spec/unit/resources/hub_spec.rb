require_relative '../../spec_helper'
require 'tmpdir'

describe 'labswarm_hub_settings' do
  let(:groups) { {} }
  let(:description) do
    { 'seat' => { 'memory_bytes' => 1024, 'nano_cpus' => 2_000_000_000 }, 'overhead' => { 'memory_bytes' => 1, 'nano_cpus' => 2 }, 'groups' => groups }
  end
  let(:run) do
    declaring('labswarm_hub_settings') do
      labswarm_hub_settings '/srv/labswarm/hub/hub.json' do
        settings 'cluster' => 'db'
        limit 'memory_factor' => 2, 'nano_cpus' => 1_000_000_000, 'pids' => 512
      end
    end
  end

  before { answers [%w(/usr/local/sbin/labswarm-hub description), JSON.generate(description)] }

  it "has the seat from the cluster's description, and a limit that is not below it" do
    expect(JSON.parse(run.file('/srv/labswarm/hub/hub.json').content)).to eq(
      'cluster' => 'db', 'seat' => description['seat'], 'overhead' => description['overhead'],
      'limit' => { 'memory_bytes' => 2048, 'nano_cpus' => 2_000_000_000, 'pids' => 512 }, 'groups' => {}, 'profiles' => {}
    )
    expect(run).to create_file('/srv/labswarm/hub/hub.json').with(mode: '0600')
  end

  context 'with a further group of workers' do
    let(:groups) do
      { 'gpu' => { 'seat' => { 'memory_bytes' => 8, 'nano_cpus' => 4 }, 'overhead' => { 'memory_bytes' => 1, 'nano_cpus' => 1 }, 'image' => 'cuda:1' } }
    end

    it 'has its seats, and a choice of them for the students' do
      written = JSON.parse(run.file('/srv/labswarm/hub/hub.json').content)
      expect(written['groups']['gpu']).to eq(
        'image' => 'cuda:1', 'seat' => { 'memory_bytes' => 8, 'nano_cpus' => 4 }, 'overhead' => { 'memory_bytes' => 1, 'nano_cpus' => 1 },
        'limit' => { 'memory_bytes' => 16, 'nano_cpus' => 1_000_000_000, 'pids' => 512 }
      )
      expect(written['profiles']).to eq(
        'notebook' => { 'title' => 'A notebook' }, 'gpu' => { 'title' => 'A notebook in group gpu', 'group' => 'gpu' }
      )
    end
  end
end

describe 'labswarm_hub_service' do
  let(:settings) { Tempfile.new('hub.json').tap { |file| file.write('{}') && file.flush } }
  let(:source) { Dir.mktmpdir.tap { |folder| FileUtils.mkdir_p([File.join(folder, 'hub'), File.join(folder, 'layers/labswarm')]) } }
  let(:conf) { Dir.mktmpdir }
  let(:inspected) { %w(docker service inspect) }

  after { FileUtils.rm_rf([source, conf]) }

  def run(settings)
    from = source
    further = conf
    declaring('labswarm_hub_service') do
      labswarm_hub_service 'labswarm-hub' do
        image 'labswarm-hub:0123456789ab'
        network 'labswarm'
        data '/srv/labswarm/hub'
        homes '/homes'
        source from
        sysctl 'net.ipv4.tcp_syn_retries' => 2, 'net.ipv4.tcp_retries2' => 3
        settings_file settings.path
        reads [further]
      end
    end
  end

  def created(settings)
    answers
    command(run(settings), 'docker service create labswarm-hub')
  end

  def digest(settings)
    created(settings)[/labswarm\.digest=(\h{64})/, 1]
  end

  it 'runs the hub on the manager, restarted for ever, with these mounts' do
    expect(created(settings)).to eq(
      "docker service create --label labswarm.digest=#{digest(settings)} --detach --no-resolve-image --name labswarm-hub " \
      '--container-label labswarm-hub=true --endpoint-mode dnsrr ' \
      '--publish mode=host,published=8081,target=8081 ' \
      '--network labswarm --constraint node.role==manager --restart-condition any --restart-delay 1s --init ' \
      '--log-driver journald --log-opt tag=labswarm-hub ' \
      '--sysctl net.ipv4.tcp_retries2=3 --sysctl net.ipv4.tcp_syn_retries=2 --workdir /srv/labswarm ' \
      "--mount type=bind,source=#{source}/hub,target=/opt/labswarm/hub,readonly " \
      "--mount type=bind,source=#{source}/layers/labswarm,target=/opt/labswarm/layer,readonly " \
      '--mount type=bind,source=/srv/labswarm/hub,target=/srv/labswarm --mount type=bind,source=/homes,target=/homes ' \
      '--mount type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock ' \
      "--env HOME=/srv/labswarm --env LABSWARM_HUB_CONFIG=/srv/labswarm/#{File.basename(settings.path)} " \
      '--env PYTHONDONTWRITEBYTECODE=1 --env PYTHONPATH=/opt/labswarm/hub:/opt/labswarm/layer ' \
      '--entrypoint python3 -m jupyterhub labswarm-hub:0123456789ab --config /opt/labswarm/hub/jupyterhub_config.py'
    )
    expect(run(settings)).not_to run_execute('docker service rm labswarm-hub')
  end

  it 'leaves it alone when nothing of it has changed' do
    same = digest(settings)
    answers [inspected + ['--format'], same], [inspected, '[]']
    expect(run(settings)).not_to run_execute('docker service rm labswarm-hub')
    expect(run(settings)).not_to run_execute('docker service create labswarm-hub')
  end

  it 'makes it again when a file that it reads has changed, come or gone' do
    [File.join(conf, 'login.py'), File.join(source, 'hub/spawner.py')].each do |file|
      former = digest(settings)
      File.write(file, 'c.x = 1')
      expect(digest(settings)).not_to eq(former)
      File.delete(file)
      expect(digest(settings)).to eq(former)
    end
  end

  it 'makes it again when its settings have' do
    former = digest(settings)
    settings.write('{"idle_timeout_s": 60}') && settings.flush
    answers [inspected + ['--format'], former], [inspected, '[]']
    expect(command(run(settings), 'docker service rm labswarm-hub')).to eq('docker service rm labswarm-hub')
    expect(run(settings)).to run_execute('docker service create labswarm-hub')
  end
end

describe 'labswarm_proxy_service' do
  let(:source) { Dir.mktmpdir.tap { |folder| FileUtils.mkdir_p(File.join(folder, 'hub/proxy')) } }
  let(:folder) { Dir.mktmpdir.tap { |folder| File.write(File.join(folder, 'token'), 'x') } }

  after { FileUtils.rm_rf([source, folder]) }

  def created
    from = source
    shared = folder
    answers
    run = declaring('labswarm_proxy_service') do
      labswarm_proxy_service 'labswarm-proxy' do
        image 'proxy:5'
        command ['configurable-http-proxy']
        network 'labswarm'
        folder shared
        source from
        sysctl 'net.ipv4.tcp_retries2' => 3
        memory '512M'
      end
    end
    command(run, 'docker service create labswarm-proxy')
  end

  def digest
    created[/labswarm\.digest=(\h{64})/, 1]
  end

  it 'runs the proxy on the manager, without rights, with these mounts' do
    expect(created).to eq(
      "docker service create --label labswarm.digest=#{digest} --detach --no-resolve-image --name labswarm-proxy " \
      '--container-label labswarm-proxy=true --endpoint-mode dnsrr --publish mode=host,published=8000,target=8000 ' \
      '--network labswarm --constraint node.role==manager --restart-condition any --restart-delay 1s --init ' \
      '--log-driver journald --log-opt tag=labswarm-proxy --sysctl net.ipv4.tcp_retries2=3 --user 65534:65534 --read-only --cap-drop ALL --limit-memory 512M ' \
      '--dns-option timeout:2 --dns-option attempts:1 ' \
      '--health-cmd node /opt/labswarm/proxy/healthy.js --health-interval 15s --health-timeout 10s --health-retries 4 ' \
      "--mount type=bind,source=#{source}/hub/proxy,target=/opt/labswarm/proxy,readonly --mount type=bind,source=#{folder},target=/run/proxy " \
      '--entrypoint sh /opt/labswarm/proxy/start.sh proxy:5 configurable-http-proxy'
    )
  end

  it 'makes it again when its own files have changed, and not when the rest of the hub has' do
    former = digest
    File.write(File.join(source, 'hub/spawner.py'), 'x = 1')
    expect(digest).to eq(former)
    File.write(File.join(source, 'hub/proxy/start.sh'), 'exit')
    expect(digest).not_to eq(former)
  end
end
