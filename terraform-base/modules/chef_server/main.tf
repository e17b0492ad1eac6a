data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  region    = data.aws_region.current.region
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  name      = "labswarm-chef"
  admin     = "labswarm"
  own_ca    = var.domain == null
  host_name = local.own_ca ? "chef.${local.own_zone}" : var.domain.name
  own_zone  = "labswarm.internal"
  url       = "https://${local.host_name}"

  # The settings for the image's first start. Facts only, no secret: any process on the instance can read
  # user data.
  server_ground = {
    role           = "chef-server"
    region         = local.region
    data_volume_id = aws_ebs_volume.data.id
    backup_bucket  = aws_s3_bucket.backups.bucket
    operator_key   = aws_secretsmanager_secret.operator.name

    chef = {
      url          = local.url
      organization = var.organization
      admin        = local.admin
      admin_key_id = aws_kms_alias.admin.name
    }

    tls = {
      host_name    = local.host_name
      ca_parameter = local.own_ca ? local.ca_parameter : null
      acme_zone_id = local.own_ca ? null : var.domain.zone_id
    }
  }
}

# The address is the interface's, so a new image keeps it.
resource "aws_network_interface" "server" {
  description     = "Chef Server"
  subnet_id       = var.subnet_id
  private_ips     = var.private_ip == null ? null : [var.private_ip]
  security_groups = [var.security_groups.chef_server]
  tags            = merge(var.tags, { Name = local.name })
}

# All that the server must not lose, so that an instance can be replaced by one of a newer image.
resource "aws_ebs_volume" "data" {
  #checkov:skip=CKV_AWS_189:A key of our own would be $1 per month and one more way to lose the volume; AWS's key encrypts as well.
  #checkov:skip=CKV2_AWS_9:The server's own nightly backup is in S3: a snapshot of a running database restores worse than its dump.
  availability_zone = var.zone
  type              = "gp3"
  size              = var.data_volume_gib
  encrypted         = true
  final_snapshot    = true
  tags              = merge(var.tags, { Name = "${local.name}-data" })
}

resource "aws_volume_attachment" "data" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data.id
  instance_id                    = aws_instance.server.id
  stop_instance_before_detaching = true
}

resource "aws_instance" "server" {
  #checkov:skip=CKV_AWS_126:Metrics each five minutes are enough for one server; each minute is $2.10 per month.
  ami                         = var.ami
  instance_type               = var.instance_type
  iam_instance_profile        = module.server_role.instance_profile_name
  ebs_optimized               = true
  user_data                   = "#cloud-config\n${jsonencode({ write_files = [merge(local.ground_file, { content = jsonencode(local.server_ground) })] })}"
  user_data_replace_on_change = true

  tags = merge(var.tags, {
    Name            = "${local.name}-server"
    "labswarm:role" = "chef-server"
  })

  primary_network_interface {
    network_interface_id = aws_network_interface.server.id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
    tags        = merge(var.tags, { Name = "${local.name}-root" })
  }
}

locals {
  # As cloud-init reads it; JSON is YAML.
  ground_file = { path = "/etc/labswarm/ground.json", owner = "root:root", permissions = "0644" }
}

# A broken host: the same instance, address and volumes on another one.
resource "aws_cloudwatch_metric_alarm" "recover" {
  alarm_name          = "${local.name}-recover"
  alarm_description   = "The Chef Server's host has failed: EC2 starts the instance on another host, with its address and volumes. Until it is back, no node can launch or deregister"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.server.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = concat(["arn:${local.partition}:automate:${local.region}:ec2:recover"], var.alarm_topic_arns)
  tags                = var.tags
}

module "server_role" {
  source      = "../node_role"
  name        = "${local.name}-server"
  description = "The Chef Server: its backups, its certificate, the public half of the admin's key"
  tags        = var.tags
  statements  = local.server_statements
}

locals {
  server_statements = concat(
    local.association_statements,
    [
      {
        Sid      = "PublicHalfOfTheAdminsKey"
        Effect   = "Allow"
        Action   = "kms:GetPublicKey"
        Resource = aws_kms_key.admin.arn
      },
      {
        Sid      = "Backups"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:GetObject"]
        Resource = "${aws_s3_bucket.backups.arn}/*"
      },
      {
        Sid      = "ListBackups"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.backups.arn
      },
      {
        Sid       = "SayThatABackupWasMade"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # knows no resources
        Condition = { StringEquals = { "cloudwatch:namespace" = local.metrics } }
      },
      {
        Sid      = "LeaveTheOperatorsKey"
        Effect   = "Allow"
        Action   = "secretsmanager:PutSecretValue"
        Resource = aws_secretsmanager_secret.operator.arn
      },
    ],
    local.tls_statements,
  )

  # The agent's part in State Manager, besides commands and sessions.
  association_statements = [
    {
      Sid      = "OwnAssociations"
      Effect   = "Allow"
      Action   = ["ssm:ListInstanceAssociations", "ssm:PutComplianceItems", "ssm:UpdateInstanceAssociationStatus"]
      Resource = "*" # its own cannot be named: the instance is made with this role
    },
    {
      Sid      = "OwnDocuments"
      Effect   = "Allow"
      Action   = ["ssm:GetDocument", "ssm:DescribeDocument"]
      Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:document/${local.name}-*"
    },
  ]
}
