data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_iam_role" "node" {
  # IAM has no regions, and two regions may have a cluster of the same name.
  name        = "${var.name}-${data.aws_region.current.region}"
  description = var.description

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Instances"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.${data.aws_partition.current.dns_suffix}" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_instance_profile" "node" {
  name = aws_iam_role.node.name
  role = aws_iam_role.node.name
  tags = var.tags
}

# The SSM agent's permissions for commands and sessions. AmazonSSMManagedInstanceCore would also let
# the instance read every parameter of the account (ssm:GetParameter on *).
# https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
resource "aws_iam_role_policy" "agent" {
  #checkov:skip=CKV_AWS_290:The agent's messages know no resources
  #checkov:skip=CKV_AWS_355:The agent's messages know no resources
  name = "agent"
  role = aws_iam_role.node.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Agent"
      Effect = "Allow"
      Action = [
        "ec2messages:AcknowledgeMessage",
        "ec2messages:DeleteMessage",
        "ec2messages:FailMessage",
        "ec2messages:GetEndpoint",
        "ec2messages:GetMessages",
        "ec2messages:SendReply",
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role_policy" "own" {
  name = "own"
  role = aws_iam_role.node.id

  policy = jsonencode({ Version = "2012-10-17", Statement = var.statements })
}
