output "hub_url" {
  description = "Where students' browsers go."
  value       = module.cluster.hub_url
}

output "seats_per_node" {
  description = "The most seats that a worker of each instance type has."
  value       = module.cluster.seats_per_node
}

output "settings" {
  description = "By cluster name: each description, as far as the plan knows it."
  value       = module.cluster.settings
}

output "descriptions" {
  description = "The app's description of the cluster."
  value       = module.cluster.descriptions
}

output "sam_parameter_overrides" {
  description = "The value for `sam deploy --parameter-overrides`."
  value = join(" ", [
    "ChefSubnets=${join(",", module.network.private_subnet_ids)}",
    "ChefSecurityGroups=${module.network.security_groups.chef_functions}",
    "ChefKeyAlias=${module.chef_server.key_alias}",
  ])
}

output "workstation_instance_id" {
  description = "The workstation's instance, for `aws ssm start-session --target`; null without one."
  value       = module.chef_server.workstation_instance_id
}
