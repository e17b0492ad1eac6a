require_relative '../../spec_helper'

describe 'labswarm_swarm' do
  let(:run) do
    declaring('labswarm_swarm') do
      labswarm_swarm '10.0.0.10' do
        address_pool '10.97.0.0/16'
        subnet_size 20
      end
    end
  end

  it 'founds one, with networks large enough for a class' do
    answers(*engine('inactive'))
    expect(command(run, 'docker swarm init')).to eq(
      'docker swarm init --advertise-addr 10.0.0.10 --listen-addr 10.0.0.10:2377 --data-path-addr 10.0.0.10 ' \
      '--default-addr-pool 10.97.0.0/16 --default-addr-pool-mask-length 20 --task-history-limit 1 --cert-expiry 17520h'
    )
  end

  it 'shows nobody the token that this prints' do
    answers(*engine('inactive'))
    expect(run).to run_execute('docker swarm init').with(sensitive: true)
  end

  it 'leaves one that is there as it is' do
    answers(*engine('active', manager: true))
    expect(run).not_to run_execute('docker swarm init')
  end

  it "refuses another Swarm's worker" do
    answers(*engine('active'))
    expect { run }.to raise_error(/docker swarm leave/)
  end

  it 'refuses a Swarm that is broken or locked' do
    answers(*engine('locked'))
    expect { run }.to raise_error(/The Swarm on this machine is locked.*hub-was-off/)
  end
end

describe 'labswarm_network' do
  let(:run) { declaring('labswarm_network') { labswarm_network 'labswarm' } }

  it 'makes an overlay network' do
    answers
    expect(command(run, 'docker network create labswarm')).to eq('docker network create --driver overlay --attachable labswarm')
  end

  it 'leaves one that is there as it is' do
    answers [%w(docker network inspect labswarm), '[]']
    expect(run).not_to run_execute('docker network create labswarm')
  end
end

describe 'labswarm_image' do
  let(:run) { declaring('labswarm_image') { labswarm_image('labswarm-hub:0123456789ab') { folder '/etc/labswarm/hub-image' } } }

  it 'builds an image' do
    answers
    expect(command(run, 'docker build labswarm-hub:0123456789ab'))
      .to eq('docker build --pull --tag labswarm-hub:0123456789ab /etc/labswarm/hub-image')
  end

  it 'builds it once' do
    answers [%w(docker image inspect labswarm-hub:0123456789ab), '[]']
    expect(run).not_to run_execute('docker build labswarm-hub:0123456789ab')
  end
end
