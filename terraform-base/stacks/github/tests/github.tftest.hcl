mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  region       = "eu-west-1"
  repository   = "physics/labswarm"
  state_bucket = "labswarm-state-123456789012"
  provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
}

run "roles_are_given_to_the_branch" {
  command = plan

  assert {
    condition = {
      for name, role in aws_iam_role.environment : name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"]
      } == {
      app            = "repo:physics/labswarm:environment:app:ref:refs/heads/main"
      cookbooks      = "repo:physics/labswarm:environment:cookbooks:ref:refs/heads/main"
      cookbooks-all  = "repo:physics/labswarm:environment:cookbooks-all:ref:refs/heads/main"
      images         = "repo:physics/labswarm:environment:images:ref:refs/heads/main"
      infrastructure = "repo:physics/labswarm:environment:infrastructure:ref:refs/heads/main"
      plan           = "repo:physics/labswarm:environment:plan:ref:refs/*"
    }
    error_message = "A role is given to another environment or branch."
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "The account has the provider already."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.environment : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"])
    error_message = "A token for another audience is taken."
  }
}

run "provider_is_created_where_the_account_has_none" {
  command = plan
  variables {
    provider_arn = null
  }
  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "GitHub's identity provider is not created."
  }
}

run "region_that_is_none_is_refused" {
  command = plan
  variables {
    region = "Ireland"
  }
  expect_failures = [var.region]
}

run "every_repository_of_an_owner_is_refused" {
  command = plan
  variables {
    repository = "physics/*"
  }
  expect_failures = [var.repository]
}

run "every_branch_is_refused" {
  command = plan
  variables {
    branch = "*"
  }
  expect_failures = [var.branch]
}

run "bucket_by_its_url_is_refused" {
  command = plan
  variables {
    state_bucket = "s3://labswarm-state"
  }
  expect_failures = [var.state_bucket]
}

run "another_identity_provider_is_refused" {
  command = plan
  variables {
    provider_arn = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
  }
  expect_failures = [var.provider_arn]
}
