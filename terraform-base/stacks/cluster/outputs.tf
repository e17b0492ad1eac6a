output "settings" {
  description = "By cluster name: the description, without the values known only after the apply. It is in the plan."
  value       = module.cluster.settings
}

output "descriptions" {
  description = "By cluster name: the whole description (JSON), as it is in /labswarm/clusters/<name>."
  value       = module.cluster.descriptions
}

output "hub_url" {
  description = "Where students' browsers go."
  value       = module.cluster.hub_url
}

output "hub_public_address" {
  description = "The hub's public address, for a DNS record of your own."
  value       = module.cluster.hub_public_address
}

output "hub_private_address" {
  description = "The hub's private address."
  value       = module.cluster.hub_private_address
}

output "hub_instance_id" {
  description = "The hub's instance; `aws ssm start-session --target` reaches it."
  value       = module.cluster.hub_instance_id
}

output "seats_per_node" {
  description = "By cluster name: the most seats that a worker of each instance type has."
  value       = module.cluster.seats_per_node
}

output "file_system_id" {
  description = "The file system of the homes."
  value       = module.cluster.file_system_id
}

output "file_system_arn" {
  description = "The ARN of that file system; AWS Backup lists its recovery points under it."
  value       = module.cluster.file_system_arn
}

output "restore_document" {
  description = "The document that gives homes back from a backup; null while `restore_homes` is false."
  value       = module.cluster.restore_document
}

output "data_volume_id" {
  description = "The hub's data volume."
  value       = module.cluster.data_volume_id
}

output "security_group_ids" {
  description = "The cluster's own security groups."
  value       = module.cluster.security_group_ids
}
