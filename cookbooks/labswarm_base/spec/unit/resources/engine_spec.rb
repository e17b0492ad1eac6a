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

  it 'has the profile of system calls in place before the settings of the Engine that name it' do
    answers(*engine('inactive'))
    run = declaring('labswarm_engine') do
      labswarm_engine 'i-0123456789abcdef0' do
        cluster 'db'
        settings 'seccomp-profile' => '/etc/docker/labswarm-seccomp.json'
      end
    end
    expect(run).to create_cookbook_file('/etc/docker/labswarm-seccomp.json').with(source: 'seccomp.json', mode: '0644')
    names = run.resource_collection.map(&:to_s)
    expect(names.index('cookbook_file[/etc/docker/labswarm-seccomp.json]')).to be < names.index('file[/etc/docker/daemon.json]')
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
