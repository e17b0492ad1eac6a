# A worker joins, leaves and is drained when the app asks for it (labswarm-node): nothing here does.

include_recipe 'labswarm_base'
include_recipe 'labswarm_worker::firewall'
include_recipe 'labswarm_worker::engine'
include_recipe 'labswarm_worker::homes'
include_recipe 'labswarm_worker::fitness'
include_recipe 'labswarm_worker::class'
include_recipe 'labswarm_worker::metrics'
