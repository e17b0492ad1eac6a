require 'chefspec'
require 'json'
require 'tempfile'

COOKBOOKS = File.expand_path('../..', __dir__)

GROUND = {
  'cluster' => 'db',
  'role' => 'worker',
  'region' => 'eu-central-1',
  'join_secret' => 'labswarm/db/swarm-join',
  'images' => ["quay.io/jupyter/scipy-notebook@sha256:#{'0' * 64}"],
  'chef' => { 'url' => 'https://chef.labswarm.internal', 'organization' => 'labswarm', 'ca_pem' => nil },
  'efs' => { 'file_system_id' => 'fs-0123456789abcdef0', 'access_point_id' => 'fsap-0123456789abcdef0' },
  'hub_address' => '10.0.0.10',
}.freeze

HUB_GROUND = GROUND.merge(
  'role' => 'hub',
  'hub' => {
    'domain' => 'db.example.edu',
    'acme_email' => 'operators@example.edu',
    'certificate_secret' => nil,
    'data_volume' => 'vol-0123456789abcdef0',
  }
).freeze

# The answers of programs on the machine: [words, standard output, exit code], the first that fits.
module Programs
  def answers(*rules)
    stubs_for_provider do |provider|
      %i(shell_out shell_out!).each do |method|
        allow(provider).to receive(method) do |*words, **|
          rule = rules.find { |begins, *| words.take(begins.size) == begins }
          _, stdout, code = rule || [nil, '', 1]
          double('program', stdout: stdout, stderr: '', exitstatus: code || 0, error?: (code || 0) != 0)
        end
      end
    end
  end

  # An Engine in this state of membership.
  def engine(state, manager: false)
    [
      [%w(docker info --format) + ['{{.Swarm.LocalNodeState}}'], "#{state}\n"],
      [%w(docker info --format) + ['{{.Swarm.ControlAvailable}}'], "#{manager}\n"],
    ]
  end
end

# A converge with these facts and attributes.
module Converges
  def runner(step_into: [], ground: GROUND, attributes: {})
    file = Tempfile.new('ground')
    (@facts ||= []) << file # it is removed when nobody knows it any more
    file.write(JSON.generate(ground))
    file.close
    ChefSpec::SoloRunner.new(step_into: step_into) do |node|
      node.normal['labswarm_base']['ground'] = file.path
      node.automatic['ec2'] = {
        'instance_id' => 'i-0123456789abcdef0',
        'local_ipv4' => '10.0.2.100',
        'network_interfaces_macs' => { '02:00:00:00:00:01' => { 'vpc_ipv4_cidr_blocks' => '198.18.0.0/16' } },
      }
      attributes.each { |name, values| values.each { |key, value| node.normal[name][key] = value } }
    end
  end

  # The whole command line of an execute resource.
  def command(run, name)
    Array(run.execute(name).command).join(' ')
  end

  # A converge of the block's resources only.
  def declaring(resource, &block)
    runner(step_into: [resource]).converge_block(&block)
  end
end

RSpec.configure do |config|
  config.cookbook_path = COOKBOOKS
  config.platform = 'ubuntu'
  config.version = '24.04'
  config.log_level = :fatal
  config.include Programs
  config.include Converges
end
