output "arn" {
  description = "The role's ARN."
  value       = aws_iam_role.node.arn
}

output "name" {
  description = "The role's name."
  value       = aws_iam_role.node.name
}

# By way of the policies: an instance that starts before them meets refusals, which its agent
# retries only after minutes.
output "instance_profile_arn" {
  description = "The ARN of the instance profile with the role."
  value       = aws_iam_instance_profile.node.arn
  depends_on  = [aws_iam_role_policy.agent, aws_iam_role_policy.own]
}

output "instance_profile_name" {
  description = "The name of the instance profile with the role."
  value       = aws_iam_instance_profile.node.name
  depends_on  = [aws_iam_role_policy.agent, aws_iam_role_policy.own]
}
