# Once per account and region: the identities of the workflows. No key is stored: a workflow's job shows GitHub's token, and AWS gives it the
# role of the job's environment for some hours.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  issuer    = "token.actions.githubusercontent.com"
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  provider  = var.provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.provider_arn
  here      = { partition = local.partition, account = local.account, region = var.region, prefix = var.prefix, state_bucket = var.state_bucket }

  # The roles are Terraform's, so their names begin with labswarm for each app: a statement keeps every workflow from changing them.
  of_app = var.prefix == "labswarm" ? "" : "${var.prefix}-"

  # The branch is a part of the token's subject once the repository says so: README.md has the command. Without it no role is given.
  # https://docs.github.com/en/actions/reference/security/oidc#customizing-the-subject-claims-for-an-organization-or-repository
  only_branch = "refs/heads/${var.branch}"
  environments = {
    images         = { ref = local.only_branch, hours = 1.5, purpose = "builds, boots and scans machine images" }
    plan           = { ref = "refs/*", hours = 1, purpose = "plans the stacks and reads no secret" }
    infrastructure = { ref = local.only_branch, hours = 2, purpose = "applies the stacks" }
    app            = { ref = local.only_branch, hours = 1, purpose = "deploys the app and tries it" }
    cookbooks      = { ref = local.only_branch, hours = 1, purpose = "gives cookbooks to the first cluster" }
    cookbooks-all  = { ref = local.only_branch, hours = 1, purpose = "gives cookbooks to all clusters", policy = "cookbooks" }
  }

  policies = {
    for name, environment in local.environments :
    name => jsonencode(jsondecode(templatefile("${path.module}/policies/${try(environment.policy, name)}.json", local.here)))
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "environment" {
  for_each = local.environments

  name                 = "labswarm-github-${local.of_app}${each.key}-${var.region}"
  description          = "GitHub's environment ${each.key} of ${var.repository}: ${each.value.purpose}"
  max_session_duration = max(3600, each.value.hours * 3600)

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "JobsOfTheEnvironment"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.provider }
      Condition = {
        StringEquals = { "${local.issuer}:aud" = "sts.amazonaws.com" }
        StringLike   = { "${local.issuer}:sub" = "repo:${var.repository}:environment:${each.key}:ref:${each.value.ref}" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "environment" {
  #checkov:skip=CKV_AWS_286:The infrastructure and the app have roles of their own, whose names begin with labswarm-
  #checkov:skip=CKV_AWS_287:Secrets are created without a value; a statement denies reading one
  #checkov:skip=CKV_AWS_288:A plan reads how resources are configured; a statement denies secrets and backups
  #checkov:skip=CKV_AWS_289:The infrastructure and the app have roles of their own, whose names begin with labswarm-
  #checkov:skip=CKV_AWS_290:New resources have no name yet that a policy could list; a condition holds them to the region
  #checkov:skip=CKV_AWS_355:New resources have no name yet that a policy could list; a condition holds them to the region
  for_each = local.environments

  name   = each.key
  role   = aws_iam_role.environment[each.key].id
  policy = local.policies[each.key]
}
