output "vpc_id" {
  description = "The VPC, made or given."
  value       = module.network.vpc_id
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = module.network.vpc_cidr
}

output "zones" {
  description = "Its availability zones, in the order of the subnets."
  value       = module.network.zones
}

output "private_subnet_ids" {
  description = "Private subnets, one per zone, for workers, Chef Server, homes and Chef functions."
  value       = module.network.private_subnet_ids
}

output "public_subnet_ids" {
  description = "Public subnets, for hubs and NAT gateways only."
  value       = module.network.public_subnet_ids
}

output "security_groups" {
  description = "Ids of the groups that all clusters share. A cluster's hub and workers carry the group nodes."
  value       = module.network.security_groups
}

output "internet" {
  description = "Whether private subnets reach the Internet; false with egress \"endpoints\"."
  value       = module.network.internet
}

output "prefix_list_ids" {
  description = "Where there is no Internet: the prefix lists of the gateway endpoints, by service (s3, dynamodb). Empty otherwise."
  value       = module.network.prefix_list_ids
}

output "chef" {
  description = "How nodes and functions reach the Chef Server: a cluster's variable chef."
  value       = module.chef_server.chef
}

output "chef_subnets" {
  description = "For the app's parameter ChefSubnets."
  value       = module.network.private_subnet_ids
}

output "chef_security_groups" {
  description = "For the app's parameter ChefSecurityGroups."
  value       = [module.network.security_groups.chef_functions]
}

output "chef_key_alias" {
  description = "For the app's parameter ChefKeyAlias."
  value       = module.chef_server.key_alias
}

output "sam_parameter_overrides" {
  description = "The text after `sam deploy --parameter-overrides`."
  value = join(" ", [
    "ChefSubnets=${join(",", module.network.private_subnet_ids)}",
    "ChefSecurityGroups=${module.network.security_groups.chef_functions}",
    "ChefKeyAlias=${module.chef_server.key_alias}",
  ])
}

output "chef_instance_id" {
  description = "The Chef Server's instance."
  value       = module.chef_server.instance_id
}

output "workstation_instance_id" {
  description = "The workstation's instance, for `aws ssm start-session --target`; null without one."
  value       = module.chef_server.workstation_instance_id
}

output "backup_bucket" {
  description = "The bucket of the Chef Server's backups."
  value       = module.chef_server.backup_bucket
}

output "operator_secret" {
  description = "Name of the secret that holds the private key of the Chef user operator."
  value       = module.chef_server.operator_secret
}
