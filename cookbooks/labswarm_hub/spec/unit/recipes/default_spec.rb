require_relative '../../spec_helper'

AUTHENTICATED = { 'labswarm_hub' => { 'authenticator' => 'native', 'admins' => ['ada'], 'conf' => { '10-native.py' => "c.x = 1\n" } } }.freeze

describe 'labswarm_hub::default' do
  it 'includes the base and each of its parts' do
    run = runner(ground: HUB_GROUND, attributes: AUTHENTICATED).converge(described_recipe)
    %w(labswarm_base labswarm_hub::data labswarm_hub::swarm labswarm_hub::proxy labswarm_hub::jupyterhub labswarm_hub::snapshot labswarm_hub::document labswarm_hub::labs labswarm_hub::tls
       labswarm_hub::logs labswarm_hub::metrics).each { |recipe| expect(run).to include_recipe(recipe) }
  end
end

describe 'labswarm_hub::data' do
  it 'has its data on a volume that outlives the instance' do
    run = runner(ground: HUB_GROUND).converge(described_recipe)
    expect(run).to mount_labswarm_data_volume('/srv/labswarm').with(volume_id: 'vol-0123456789abcdef0')
    expect(run).to create_directory('/srv/labswarm/hub').with(mode: '0700')
  end

  it 'has a folder where there is no volume' do
    ground = HUB_GROUND.merge('hub' => HUB_GROUND['hub'].merge('data_volume' => nil))
    expect(runner(ground: ground).converge(described_recipe)).to create_directory('/srv/labswarm').with(mode: '0755')
  end
end

describe 'labswarm_hub::swarm' do
  subject(:run) { runner(ground: HUB_GROUND).converge(described_recipe) }

  it 'founds the Swarm and its network' do
    expect(run).to configure_labswarm_engine('i-0123456789abcdef0').with(restart_member: true)
    expect(run).to found_labswarm_swarm('10.0.2.100').with(address_pool: '10.97.0.0/16', subnet_size: 20)
    expect(run).to create_labswarm_network('labswarm')
  end

  it 'publishes the join token at each start, until it is done' do
    unit = run.systemd_unit('labswarm-join-secret.service').content
    expect(unit['Service']).to eq(
      'ExecStart' => '/usr/local/sbin/labswarm-hub join-secret', 'RemainAfterExit' => 'yes', 'Restart' => 'on-failure', 'RestartSec' => 10
    )
    %i(create enable start).each { |action| expect(run.systemd_unit('labswarm-join-secret.service').performed_actions).to include(action) }
  end

  it 'rotates it by a timer, and never in a converge' do
    expect(run.systemd_unit('labswarm-rotate-join-token.service').content['Service'])
      .to include('Type' => 'oneshot', 'ExecStart' => '/usr/local/sbin/labswarm-hub join-secret --rotate')
    expect(run.systemd_unit('labswarm-rotate-join-token.service').performed_actions).to eq([:create])
    expect(run.systemd_unit('labswarm-rotate-join-token.timer').content['Timer'])
      .to include('OnCalendar' => '*-*-* 04:00:00', 'Persistent' => 'true')
    expect(run).to start_systemd_unit('labswarm-rotate-join-token.timer')
  end

  it 'has the token in no file' do
    texts = run.resource_collection.all_resources.filter_map { |resource| resource.content.to_s if resource.respond_to?(:content) }
    expect(texts.grep(/SWMTKN/)).to be_empty
  end
end

describe 'labswarm_hub::jupyterhub' do
  subject(:run) { runner(ground: HUB_GROUND, attributes: AUTHENTICATED).converge(described_recipe) }

  it 'refuses to guess who may log in' do
    expect { runner(ground: HUB_GROUND).converge(described_recipe) }.to raise_error(/labswarm_hub.authenticator is not set/)
  end

  it "makes the manager's token once, for root alone" do
    expect(run).to create_file_if_missing('/srv/labswarm/hub/manager.token').with(mode: '0600', sensitive: true)
    expect(run.file('/srv/labswarm/hub/manager.token').content).to match(/\A\h{64}\n\z/)
  end

  it 'builds its image of the versions that are named here' do
    expect(run.file('/etc/labswarm/hub-image/Dockerfile').content).to eq(
      "FROM quay.io/jupyterhub/jupyterhub:6.1.1\n" \
      "RUN python3 -m pip install --no-cache-dir dockerspawner==14.0.0 jupyterhub-idle-culler==2.0.0 jupyterhub-firstuseauthenticator==1.1.1 " \
      "jupyterhub-ldapauthenticator==2.0.2 jupyterhub-ltiauthenticator==1.6.3 jupyterhub-nativeauthenticator==1.3.0 oauthenticator==17.4.0\n"
    )
    expect(run.find_resource(:labswarm_image, run.labswarm_hub_service('labswarm-hub').image).folder).to eq('/etc/labswarm/hub-image')
  end

  it "takes the department's own image" do
    own = { 'labswarm_hub' => AUTHENTICATED['labswarm_hub'].merge('image' => 'registry.example.edu/hub:7') }
    run = runner(ground: HUB_GROUND, attributes: own).converge(described_recipe)
    expect(run).to run_labswarm_hub_service('labswarm-hub').with(image: 'registry.example.edu/hub:7')
    expect(run).not_to create_file('/etc/labswarm/hub-image/Dockerfile')
    expect(run).to delete_directory('/etc/labswarm/hub-image')
  end

  it 'writes to the hub the people who may log in and the kind of servers' do
    expect(run).to write_labswarm_hub_settings('/srv/labswarm/hub/base.json').with(retries: 20, retry_delay: 15)
    settings = run.labswarm_hub_settings('/srv/labswarm/hub/base.json').settings
    expect(settings).to include('cluster' => 'db', 'authenticator' => 'native', 'admins' => ['ada'], 'image' => GROUND['images'].first,
                                'manager_token_file' => '/srv/labswarm/manager.token', 'homes' => '/homes', 'network' => 'labswarm', 'idle_timeout_s' => 3600, 'idle_warning_s' => 300, 'longest_server_s' => 86_400, 'hours_per_week' => 0)
    expect(run).to write_labswarm_drop_ins('/srv/labswarm/hub/conf.d').with(files: { '10-native.py' => "c.x = 1\n" })
  end

  it 'runs the hub after that' do
    expect(run).to run_labswarm_hub_service('labswarm-hub')
      .with(network: 'labswarm', data: '/srv/labswarm/hub', homes: '/homes', source: '/opt/labswarm/src', settings_file: '/srv/labswarm/hub/hub.json',
            reads: ['/srv/labswarm/hub/conf.d', '/srv/labswarm/hub/manager.token', '/srv/labswarm/hub/labs.token', '/srv/labswarm/hub/proxy/token'],
            sysctl: { 'net.ipv4.tcp_orphan_retries' => 3, 'net.ipv4.tcp_retries2' => 3, 'net.ipv4.tcp_syn_retries' => 2 })
  end
end

describe 'labswarm_hub::document' do
  it 'keeps the service running that applies the document, as root with one folder to write' do
    unit = runner(ground: HUB_GROUND).converge(described_recipe).systemd_unit('labswarm-document.service')
    expect(unit.content['Service']).to include('ExecStart' => '/usr/local/bin/labswarm-document --folder /srv/labswarm/hub',
                                               'Restart' => 'always', 'ReadWritePaths' => '/srv/labswarm/hub', 'ProtectSystem' => 'strict')
  end
end

describe 'labswarm_hub::proxy' do
  subject(:run) { runner(ground: HUB_GROUND).converge(described_recipe) }

  it "makes the proxy's token once, in a folder that only the proxy and root can open" do
    expect(run).to create_directory('/srv/labswarm/hub/proxy').with(mode: '0700', owner: 65_534, group: 65_534)
    expect(run).to create_file_if_missing('/srv/labswarm/hub/proxy/token').with(mode: '0400', owner: 65_534, sensitive: true)
    expect(run.file('/srv/labswarm/hub/proxy/token').content).to match(/\A\h{64}\n\z/)
  end

  it 'runs the proxy after that' do
    expect(run).to run_labswarm_proxy_service('labswarm-proxy')
      .with(image: 'quay.io/jupyterhub/configurable-http-proxy:5.3.0', command: ['configurable-http-proxy'], network: 'labswarm',
            folder: '/srv/labswarm/hub/proxy', source: '/opt/labswarm/src', memory: '512M')
  end
end

describe 'labswarm_hub::snapshot' do
  it 'has the service run for ever, as nobody in particular' do
    run = runner(ground: HUB_GROUND).converge(described_recipe)
    unit = run.systemd_unit('labswarm-snapshot.service')
    expect(unit.content['Service']).to include('ExecStart' => '/usr/local/bin/labswarm-snapshot', 'Restart' => 'always', 'DynamicUser' => 'yes',
                                               'SupplementaryGroups' => 'docker')
    %i(create enable start).each { |action| expect(unit.performed_actions).to include(action) }
  end

  it 'gives it the token that it may not read itself' do
    unit = runner(ground: HUB_GROUND).converge(described_recipe).systemd_unit('labswarm-snapshot.service')
    expect(unit.content['Service']).not_to include('Environment')
    other = runner(ground: HUB_GROUND.merge('prefix' => 'labstage')).converge(described_recipe).systemd_unit('labswarm-snapshot.service')
    expect(other.content['Service']).to include('Environment' => 'LABSWARM_PREFIX=labstage')
    expect(unit.content['Service']).to include('LoadCredential' => 'hub-token:/srv/labswarm/hub/manager.token')
  end

  it 'restarts it when there is another token' do
    run = runner(ground: HUB_GROUND, attributes: AUTHENTICATED).converge('labswarm_hub::jupyterhub', described_recipe)
    expect(run.systemd_unit('labswarm-snapshot.service')).to subscribe_to('file[/srv/labswarm/hub/manager.token]').on(:restart)
  end
end

describe 'labswarm_hub::labs' do
  subject(:unit) { runner(ground: HUB_GROUND).converge(described_recipe).systemd_unit('labswarm-labs.service') }

  it 'serves the page for instructors for ever, without Docker' do
    expect(unit.content['Service']).to include('ExecStart' => '/usr/local/bin/labswarm-labs --token-file %d/labs-token --hub-token-file %d/hub-token --idle 3600',
                                               'Restart' => 'always', 'DynamicUser' => 'yes')
    expect(unit.content['Service']).not_to include('SupplementaryGroups')
    %i(create enable start).each { |action| expect(unit.performed_actions).to include(action) }
  end

  it 'has a token of its own' do
    expect(unit.content['Service']).to include('LoadCredential' => ['labs-token:/srv/labswarm/hub/labs.token', 'hub-token:/srv/labswarm/hub/manager.token'])
  end
end

describe 'labswarm_hub::tls' do
  let(:caddyfile) { '/etc/caddy/Caddyfile' }

  def converged(**hub)
    runner(ground: HUB_GROUND.merge('hub' => HUB_GROUND['hub'].merge(hub.transform_keys(&:to_s)))).converge('labswarm_hub::tls')
  end

  it "has a certificate of Let's Encrypt, kept on the data volume" do
    run = converged
    expect(run).to render_file(caddyfile).with_content("email operators@example.edu\n").with_content('storage file_system /srv/labswarm/caddy')
    expect(run).to render_file(caddyfile).with_content("db.example.edu {\n")
    expect(run).not_to render_file(caddyfile).with_content("\ttls ")
    # It may have had the department's before.
    expect(run).to delete_systemd_unit('labswarm-certificate.timer')
    expect(run).to delete_systemd_unit('labswarm-certificate.service')
    expect(run).to delete_directory('/run/labswarm-certificate')
    expect(run.template(caddyfile)).to notify('systemd_unit[caddy.service]').to(:reload_or_restart)
  end

  it "has the department's own, whose key is on no disk" do
    arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:tls-AbCdEf'
    run = converged(acme_email: nil, certificate_secret: arn)
    expect(run).to render_file(caddyfile).with_content('tls /run/labswarm-certificate/certificate.pem /run/labswarm-certificate/key.pem')
    unit = run.systemd_unit('labswarm-certificate.service').content
    expect(unit['Service']).to include('ExecStart' => "/usr/local/sbin/labswarm-hub certificate #{arn} /run/labswarm-certificate",
                                       'RuntimeDirectory' => 'labswarm-certificate', 'RuntimeDirectoryMode' => '0750')
  end

  it 'reports how long its certificate is valid' do
    run = converged
    expect(run.systemd_unit('labswarm-certificate-days.service').content['Service'])
      .to include('ExecStart' => '/usr/local/sbin/labswarm-hub certificate-days db.example.edu')
    expect(run).to start_systemd_unit('labswarm-certificate-days.timer')
  end

  it 'signs one itself where there is no name' do
    run = converged(domain: nil, acme_email: nil)
    expect(run).to delete_systemd_unit('labswarm-certificate-days.timer')
    expect(run).to render_file(caddyfile).with_content(":443 {\n\ttls internal {")
  end
end

describe 'labswarm_hub::logs' do
  it 'writes the logs of the hub and its proxy to files that the agent may read' do
    run = runner(ground: HUB_GROUND).converge(described_recipe)
    expect(run).to create_directory('/var/log/labswarm').with(group: 'cwagent', mode: '0750')
    expect(run.systemd_unit('labswarm-log@.service').content['Service'])
      .to include('ExecStart' => 'journalctl --follow --lines=0 --output=cat CONTAINER_TAG=labswarm-%i', 'StandardOutput' => 'append:/var/log/labswarm/%i.log')
    %w(hub proxy).each { |part| expect(run).to start_service("labswarm-log@#{part}.service") }
  end

  it 'writes none where nothing is sent' do
    run = runner(ground: HUB_GROUND, attributes: { 'labswarm_base' => { 'metrics' => false } }).converge(described_recipe)
    expect(run).to stop_service('labswarm-log@hub.service')
  end
end

describe 'labswarm_hub::metrics' do
  it 'reports the usage of its disks' do
    run = runner(ground: HUB_GROUND).converge(described_recipe)
    expect(run).to collect_labswarm_metrics('/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json')
      .with(dimensions: { 'InstanceId' => 'i-0123456789abcdef0' }, disks: ['/', '/srv/labswarm'],
            logs: { 'hub' => '/labswarm/db/hub', 'proxy' => '/labswarm/db/hub' })
  end
end
