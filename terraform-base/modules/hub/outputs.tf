output "instance_id" {
  description = "The hub's instance: the Swarm's manager."
  value       = aws_instance.hub.id
}

output "private_address" {
  description = "The hub's private address; it stays when the instance is replaced."
  value       = aws_network_interface.hub.private_ip
}

output "public_address" {
  description = "The hub's public address."
  value       = aws_eip.hub.public_ip
}

output "url" {
  description = "Where students' browsers go."
  value       = "https://${var.domain == null ? aws_eip.hub.public_ip : var.domain.name}"
}

output "join_secret" {
  description = "The secret with the Swarm's join token."
  value       = { arn = aws_secretsmanager_secret.join.arn, name = aws_secretsmanager_secret.join.name }
}

output "role_arn" {
  description = "The ARN of the hub's role."
  value       = module.role.arn
}

output "data_volume_id" {
  description = "The volume with the Swarm's state and the hub's database."
  value       = aws_ebs_volume.data.id
}

output "root_volume_gib" {
  description = "The size of the hub's root volume (GiB)."
  value       = var.root_volume_gib
}
