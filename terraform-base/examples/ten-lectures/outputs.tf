output "hub_urls" {
  description = "Where each lecture's students go."
  value       = { for name, lecture in module.lecture : name => lecture.hub_url }
}

output "settings" {
  description = "By cluster name: each description, as far as the plan knows it."
  value       = merge([for lecture in module.lecture : lecture.settings]...)
}

output "descriptions" {
  description = "By cluster name: the app's description of each cluster."
  value       = merge([for lecture in module.lecture : lecture.descriptions]...)
}

output "sam_parameter_overrides" {
  description = "The value for `sam deploy --parameter-overrides`, once for all lectures."
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
