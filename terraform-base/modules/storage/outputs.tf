output "file_system_id" {
  description = "The file system's id, for efs-utils. It is known once the file system can be mounted."
  value       = aws_efs_file_system.homes.id

  # Not on the policy as well: it names the roles of the instances that get this id.
  depends_on = [aws_efs_mount_target.homes]
}

output "file_system_arn" {
  description = "Its ARN."
  value       = aws_efs_file_system.homes.arn
}

output "access_point_id" {
  description = "The access point's id, for efs-utils (with tls and iam)."
  value       = aws_efs_access_point.homes.id
}

output "access_point_arn" {
  description = "Its ARN."
  value       = aws_efs_access_point.homes.arn
}

output "mount_target_ids" {
  description = "The mount targets, in the order of subnet_ids."
  value       = aws_efs_mount_target.homes[*].id
}

output "restore_document" {
  description = "The document that gives homes back from a backup; null while `restore` is false."
  value       = one(aws_ssm_document.restore[*].name)
}
