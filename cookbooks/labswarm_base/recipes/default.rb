# Before anything is changed.
Labswarm::Attributes.check(node.default, node)

labswarm_packages 'what every node has' do
  packages node['labswarm_base']['packages'].to_a
end

include_recipe 'labswarm_base::hardening'
include_recipe 'labswarm_base::time'
include_recipe 'labswarm_base::journald'
include_recipe 'labswarm_base::updates'
include_recipe 'labswarm_base::node_config'
include_recipe 'labswarm_base::copies'
