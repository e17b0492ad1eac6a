# A log of connections, for the VPC that is made here; the owner of a given VPC has flow logs of their own, or does not
# want them.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  flow_log_group = "/labswarm/${var.name}/flow-logs"
  flow_log_arn = join(":", [
    "arn", data.aws_partition.current.partition, "logs", data.aws_region.current.region,
    data.aws_caller_identity.current.account_id, "log-group", local.flow_log_group,
  ])
}

resource "aws_kms_key" "flow_logs" {
  count               = local.own ? 1 : 0
  description         = "Flow logs of the VPC ${var.name}"
  enable_key_rotation = true
  tags                = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountByItsOwnPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "ThisLogGroup"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = local.flow_log_arn } }
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  #checkov:skip=CKV_AWS_338:How long is the operator's choice and, where addresses are personal data, the law's; flow_log_days says it.
  count             = local.own ? 1 : 0
  name              = local.flow_log_group
  retention_in_days = var.flow_log_days
  kms_key_id        = aws_kms_key.flow_logs[0].arn
  tags              = var.tags
}

resource "aws_iam_role" "flow_logs" {
  count       = local.own ? 1 : 0
  name_prefix = "${var.name}-flow-logs-"
  description = "VPC flow logs write to their log group"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flow_logs" {
  count = local.own ? 1 : 0
  name  = "write"
  role  = aws_iam_role.flow_logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    # The actions are the least that AWS names: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    Statement = [
      {
        Sid      = "ThisLogGroup"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [local.flow_log_arn, "${local.flow_log_arn}:*"]
      },
      {
        Sid      = "FindIt"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "*"
      },
    ]
  })
}

resource "aws_flow_log" "this" {
  count                    = local.own ? 1 : 0
  vpc_id                   = aws_vpc.this[0].id
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flow_logs[0].arn
  iam_role_arn             = aws_iam_role.flow_logs[0].arn
  max_aggregation_interval = 600
  tags                     = merge(var.tags, { Name = var.name })
}
