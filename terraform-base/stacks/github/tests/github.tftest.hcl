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

run "roles_of_another_app_reach_that_app_only" {
  command = plan
  variables {
    prefix = "labstage"
  }
  assert {
    condition     = aws_iam_role.environment["app"].name == "labswarm-github-labstage-app-eu-west-1"
    error_message = "Both apps have roles in one account, and no workflow changes them."
  }
  assert {
    condition = alltrue([
      for environment in ["app", "cookbooks"] :
      !can(regex("[:/]labswarm([-/]|:[*])", replace(replace(output.policies[environment], "role/labswarm-github-*", ""), "document/labswarm-chef-push", "")))
    ])
    error_message = "A role of labstage names a thing of the app labswarm."
  }
  assert {
    condition     = strcontains(output.policies["infrastructure"], "autoScalingGroupName/labstage-*") && !strcontains(output.policies["infrastructure"], "autoScalingGroupName/labswarm-*")
    error_message = "The groups of a cluster begin with its app's prefix."
  }
  assert {
    condition     = strcontains(output.policies["plan"], "parameter/labstage/clusters/*") && !strcontains(output.policies["plan"], "parameter/labswarm/clusters/*")
    error_message = "The descriptions of the clusters begin with their app's prefix."
  }
}

run "prefix_with_a_hyphen_is_refused" {
  command = plan
  variables {
    prefix = "labswarm-stage"
  }
  expect_failures = [var.prefix]
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
