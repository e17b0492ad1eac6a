output "role_arns" {
  description = "By environment of GitHub: the role's ARN, for the environment's variable AWS_ROLE_ARN."
  value       = { for name, role in aws_iam_role.environment : name => role.arn }
}

output "policies" {
  description = "By environment: the role's policy (JSON)."
  value       = local.policies
}
