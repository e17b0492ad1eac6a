locals {
  here       = "${local.region}:${data.aws_caller_identity.current.account_id}"
  parameters = "arn:${data.aws_partition.current.partition}:ssm:${local.here}:parameter/${var.prefix}/clusters"

  certificate_secret = try(var.domain.certificate_secret_arn, null)
  read_certificate = local.certificate_secret == null ? [] : [{
    Sid      = "Certificate"
    Effect   = "Allow"
    Action   = "secretsmanager:GetSecretValue"
    Resource = local.certificate_secret
  }]
}

# Terraform never sees the token: the hub writes it here, and its workers read it.
resource "aws_secretsmanager_secret" "join" {
  #checkov:skip=CKV_AWS_149:The account's own key for secrets; one more key for each cluster is $1 per month
  #checkov:skip=CKV2_AWS_57:The Swarm makes the token and rotates it (docker swarm join-token --rotate); no function could
  name        = "labswarm/${var.cluster}/swarm-join"
  description = "The secret with which a worker joins the Swarm of ${var.cluster}: JSON {token, manager}"
  tags        = var.tags

  # The token is worth nothing without its Swarm, and a cluster of the same name may come.
  recovery_window_in_days = 0
}

module "role" {
  source = "../node_role"

  name        = "labswarm-${var.cluster}-hub"
  description = "The hub of the labswarm cluster ${var.cluster}"
  tags        = var.tags

  # Homes are mounted by the file system's own policy.
  statements = concat([
    {
      Sid      = "JoinToken"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
      Resource = aws_secretsmanager_secret.join.arn
    },
    {
      Sid      = "Descriptions"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = [for group in var.groups : "${local.parameters}/${group}"]
    },
    {
      Sid      = "DescriptionsByPath"
      Effect   = "Allow"
      Action   = "ssm:GetParametersByPath"
      Resource = local.parameters
    },
    {
      Sid       = "Snapshots"
      Effect    = "Allow"
      Action    = "dynamodb:PutItem"
      Resource  = "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table/${var.prefix}-snapshots"
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = var.groups } }
    },
    # The versions of its own document, which it applies, and its report of the version that runs.
    {
      Sid       = "Document"
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem", "dynamodb:Query"]
      Resource  = "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table/${var.prefix}-documents"
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = [var.cluster] } }
    },
    # The secrets that the document's login names: docs/how-to/login.md.
    {
      Sid      = "LoginSecrets"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = "arn:${data.aws_partition.current.partition}:secretsmanager:${local.here}:secret:labswarm/${var.cluster}/login/*"
    },
    {
      Sid      = "DocumentReport"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:PutParameter"]
      Resource = "${local.parameters}/${var.cluster}/applied"
    },
    {
      Sid       = "Bookings"
      Effect    = "Allow"
      Action    = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
      Resource  = "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table/${var.prefix}-bookings"
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = var.groups } }
    },
    # The last check before its labs is an item of its own.
    {
      Sid       = "LabHours"
      Effect    = "Allow"
      Action    = "dynamodb:GetItem"
      Resource  = [for table in ["lab-hours", "snapshots"] : "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table/${var.prefix}-${table}"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = concat(var.groups, [for group in var.groups : "${group}/ready"]) } }
    },
    {
      # The timelines of nodes, by their ids and without the tokens of lifecycle actions.
      Sid      = "Timelines"
      Effect   = "Allow"
      Action   = "dynamodb:BatchGetItem"
      Resource = "arn:${data.aws_partition.current.partition}:dynamodb:${local.here}:table/${var.prefix}-ledger"
      Condition = {
        "ForAllValues:StringEquals" = { "dynamodb:Attributes" = ["instance_id", "transition", "cluster", "opened_at", "phases", "result"] }
        StringEquals                = { "dynamodb:Select" = "SPECIFIC_ATTRIBUTES" }
      }
    },
    {
      Sid      = "Alarms"
      Effect   = "Allow"
      Action   = "cloudwatch:DescribeAlarms"
      Resource = "*" # composite alarms are described with this scope only
    },
    {
      # A booking is planned with the limits around its cluster. These actions have no resource-level permissions.
      Sid    = "Plan"
      Effect = "Allow"
      Action = [
        "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeAddresses", "ec2:DescribeInstances",
        "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSubnets",
        "servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota",
      ]
      Resource = "*"
    },
    {
      Sid       = "SeatsShort"
      Effect    = "Allow"
      Action    = "events:PutEvents"
      Resource  = "arn:${data.aws_partition.current.partition}:events:${local.here}:event-bus/default"
      Condition = { "ForAllValues:StringEquals" = { "events:source" = "${var.prefix}.hub", "events:detail-type" = "SeatsShort" } }
    },
    {
      Sid       = "Metrics"
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*" # knows no resources
      Condition = { StringEquals = { "cloudwatch:namespace" = "CWAgent" } }
    },
    {
      Sid      = "Logs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:${data.aws_partition.current.partition}:logs:${local.here}:log-group:${local.log_group}:*"
    },
  ], local.read_certificate)
}
