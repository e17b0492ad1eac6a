provides :labswarm_swarm
unified_mode true

property :address, String, name_property: true,
                           description: 'The address at which workers reach this manager.'
property :address_pool, String, required: true,
                                description: 'Where the overlay networks have their addresses (CIDR block), clear of the VPC.'
property :subnet_size, Integer, required: true,
                                description: 'The prefix length of each overlay network.'

action :found, description: 'Found a Swarm, with this machine as its manager. One that is there stays as it is.' do
  state = swarm_state
  unless %w(inactive active).include?(state)
    raise "The Swarm on this machine is #{state}: `docker info` says why. Repair that (docs/how-to/hub-was-off.md) and converge again."
  end
  raise 'this machine is a worker of another Swarm: have it leave (docker swarm leave) and converge again' if state == 'active' && !swarm_manager?

  execute 'docker swarm init' do
    command [
      'docker', 'swarm', 'init',
      '--advertise-addr', new_resource.address,
      '--listen-addr', "#{new_resource.address}:2377",
      '--data-path-addr', new_resource.address,
      '--default-addr-pool', new_resource.address_pool,
      '--default-addr-pool-mask-length', new_resource.subnet_size.to_s,
      '--task-history-limit', '1',
      # A hub that is off for a term starts again. Docker's default is 90 days, and only a running manager renews.
      '--cert-expiry', '17520h'
    ]
    # It prints the join token.
    sensitive true
    not_if { swarm_state == 'active' }
  end
end

action_class do
  include Labswarm::EngineState
end
