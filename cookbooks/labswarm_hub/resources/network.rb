provides :labswarm_network
unified_mode true

property :network, String, name_property: true,
                           description: "The network's name."

action :create, description: "Make an overlay network, of the Swarm's subnet size. One that is there stays as it is." do
  execute "docker network create #{new_resource.network}" do
    command ['docker', 'network', 'create', '--driver', 'overlay', '--attachable', new_resource.network]
    not_if { docker_has?('network', new_resource.network) }
  end
end

action_class do
  include Labswarm::EngineState
end
