output "chef" {
  description = "How the app and the nodes reach the server: the field chef of a cluster's description. ca_pem is null with a public domain."
  value = {
    url          = local.url
    organization = var.organization
    ca_pem       = one(terraform_data.ca[*].output)
    admin        = local.admin
    key_id       = aws_kms_alias.admin.name
  }

  # Users of this output find the server set up, and can deregister: it is destroyed after them.
  depends_on = [aws_ssm_association.ready]
}

output "key_alias" {
  description = "Alias of the KMS key that signs as the server's admin."
  value       = aws_kms_alias.admin.name
}

output "key_arn" {
  description = "That key's ARN."
  value       = aws_kms_key.admin.arn
}

output "instance_id" {
  description = "The server's instance, for sessions and for the documents labswarm-chef-backup and labswarm-chef-restore."
  value       = aws_instance.server.id
}

output "private_ip" {
  description = "The server's address, which a new image keeps."
  value       = aws_network_interface.server.private_ip
}

output "backup_bucket" {
  description = "The bucket of the backups."
  value       = aws_s3_bucket.backups.bucket
}

output "workstation_instance_id" {
  description = "The workstation's instance, for `aws ssm start-session`; null without one."
  value       = one([for workstation in aws_instance.workstation : workstation.id])
}

output "operator_secret" {
  description = "Name of the secret that holds the private key of the Chef user operator."
  value       = aws_secretsmanager_secret.operator.name
}
