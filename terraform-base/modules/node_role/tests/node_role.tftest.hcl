mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  name        = "labswarm-physics-worker"
  description = "a test"
  statements  = [{ Sid = "Token", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one" }]
}

run "instance_may_read_no_parameter" {
  command = plan

  assert {
    condition     = !strcontains(aws_iam_role_policy.agent.policy, "GetParameter")
    error_message = "The agent's permissions include no parameter."
  }
  assert {
    condition     = aws_iam_role.node.name == "labswarm-physics-worker-eu-west-1"
    error_message = "IAM knows no regions: the name does."
  }
}

run "name_with_a_slash_is_refused" {
  command = plan
  variables {
    name = "labswarm/physics"
  }
  expect_failures = [var.name]
}

run "name_too_long_for_a_region_is_refused" {
  command = plan
  variables {
    name = "a-name-of-forty-nine-characters-0123456789-012345"
  }
  expect_failures = [var.name]
}
