require_relative '../../spec_helper'

describe 'labswarm_engine' do
  def configured(restarted = false)
    declaring('labswarm_engine') do
      labswarm_engine 'i-0123456789abcdef0' do
        cluster 'db'
        settings 'icc' => false, 'dns' => ['169.254.169.253']
        restart_member restarted
      end
    end
  end

  it 'labels the Engine with its instance and cluster, and restarts it at once' do
    answers(*engine('inactive'))
    run = configured
    expect(JSON.parse(run.file('/etc/docker/daemon.json').content))
      .to eq('icc' => false, 'dns' => ['169.254.169.253'], 'labels' => ['labswarm.instance=i-0123456789abcdef0', 'labswarm.cluster=db'])
    expect(run).to create_file('/etc/docker/daemon.json').with(mode: '0644')
    expect(run.file('/etc/docker/daemon.json')).to notify('service[docker]').to(:restart).immediately
  end

  # Whether active, paused or draining: to the node itself it is a member, and the Engine's restart
  # would end the servers of the students who are still on it.
  %w(active pending locked error).each do |state|
    it "leaves an Engine alone that is #{state} in a Swarm" do
      answers(*engine(state))
      expect(configured).not_to create_file('/etc/docker/daemon.json')
    end
  end

  it "restarts the hub's, on which no student is" do
    answers(*engine('active', manager: true))
    expect(configured(true)).to create_file('/etc/docker/daemon.json')
  end

  it 'takes an Engine that does not answer for one without containers' do
    answers
    expect(configured).to create_file('/etc/docker/daemon.json')
  end
end
