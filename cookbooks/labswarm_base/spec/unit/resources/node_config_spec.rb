require_relative '../../spec_helper'

describe 'labswarm_node_config' do
  def written(ground, hub = nil, policy = nil)
    run = declaring('labswarm_node_config') do
      labswarm_node_config '/etc/labswarm/node.json' do
        ground ground
        instance_id 'i-0123456789abcdef0'
        address '10.0.2.100'
        policy policy
        hub hub
      end
    end
    [run, JSON.parse(run.file('/etc/labswarm/node.json').content)]
  end

  it 'names the node by its cluster and its instance' do
    _, config = written(GROUND)
    expect(config['chef']).to eq(
      'url' => 'https://chef.labswarm.internal', 'organization' => 'labswarm', 'ca_file' => nil,
      'node_name' => 'db-i-0123456789abcdef0', 'key_file' => '/etc/labswarm/chef/client.pem', 'client' => 'chef-client',
      'policy_name' => nil, 'policy_group' => nil
    )
    expect(config).to include('cluster' => 'db', 'instance_id' => 'i-0123456789abcdef0', 'role' => 'worker', 'advertise_address' => '10.0.2.100')
    expect(config).not_to have_key('hub')
  end

  it 'names the app, if it has another prefix than the usual one' do
    expect(written(GROUND)[1]).not_to have_key('prefix')
    expect(written(GROUND.merge('prefix' => 'labstage'))[1]).to include('prefix' => 'labstage')
  end

  it "takes its policy from its cluster's group" do
    _, config = written(GROUND, nil, 'labswarm-worker')
    expect(config['chef']).to include('policy_name' => 'labswarm-worker', 'policy_group' => 'db')
  end

  it 'has no secret in it, only where one is' do
    run, config = written(GROUND)
    expect(config['join_secret']).to eq('labswarm/db/swarm-join')
    expect(run.file('/etc/labswarm/node.json').content).not_to match(/SWMTKN|PRIVATE KEY/)
  end

  it "keeps the Chef Server's certificate authority next to it" do
    run, config = written(GROUND.merge('chef' => GROUND['chef'].merge('ca_pem' => "PEM\n")))
    expect(run).to create_file('/etc/labswarm/chef-ca.pem').with(content: "PEM\n", mode: '0644')
    expect(config['chef']['ca_file']).to eq('/etc/labswarm/chef-ca.pem')
  end

  it 'writes no authority where a public one has signed' do
    run, = written(GROUND)
    expect(run).not_to create_file('/etc/labswarm/chef-ca.pem')
  end

  it 'refuses what is no instance' do
    expect do
      declaring('labswarm_node_config') do
        labswarm_node_config '/etc/labswarm/node.json' do
          ground GROUND
          instance_id 'ip-10-0-2-100'
          address '10.0.2.100'
        end
      end
    end.to raise_error(Chef::Exceptions::ValidationFailed)
  end
end
