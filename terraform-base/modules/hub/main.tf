data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

data "aws_subnet" "hub" {
  id = var.subnet_id
}

module "image" {
  source = "../image"

  ami      = var.ami
  argument = "hub_ami"
  owners   = var.image_owners
}

data "aws_ec2_instance_type" "hub" {
  instance_type = var.instance_type
}

locals {
  tags = merge(var.tags, var.prefix == "labswarm" ? {} : { "labswarm:app" = var.prefix }, {
    "labswarm:cluster" = var.cluster
    "labswarm:role"    = "hub"
    Name               = "labswarm-${var.cluster}-hub"
  })
  region = data.aws_region.current.region
  least  = { memory_mib = 2048, vcpus = 2 }

  # Terraform's facts; the cookbooks make node.json of it and of the instance's metadata. No secret.
  ground = {
    cluster     = var.cluster
    role        = "hub"
    region      = local.region
    join_secret = aws_secretsmanager_secret.join.name
    images      = var.images
    chef        = var.chef
    efs         = var.efs
    hub_address = aws_network_interface.hub.private_ip
    hub = {
      domain             = try(var.domain.name, null)
      acme_email         = try(var.domain.acme_email, null)
      certificate_secret = try(var.domain.certificate_secret_arn, null)
      data_volume        = aws_ebs_volume.data.id
    }
  }
  # The user data of a hub of the usual app stays as it was: another one restarts the hub.
  of_app = var.prefix == "labswarm" ? {} : { prefix = var.prefix }
}

locals {
  # Ids and addresses are known only after an apply. Placeholders of the greatest length stand for them, so that a plan counts as well.
  # The limit is on the bytes before base64: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
  user_data_limit = 16384
  user_data_bytes = floor(length(base64encode(templatefile("${path.module}/user-data.sh.tftpl", {
    login = var.login
    ground = merge(local.ground, local.of_app, {
      join_secret = "labswarm/${var.cluster}/swarm-join"
      hub_address = "255.255.255.255"
      efs         = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
      hub         = merge(local.ground.hub, { data_volume = "vol-0123456789abcdef0" })
    })
  }))) * 3 / 4)
}

# An interface of its own: the next instance has the same address, and is the same manager.
resource "aws_network_interface" "hub" {
  subnet_id       = var.subnet_id
  security_groups = var.security_group_ids
  private_ips     = var.private_address == null ? null : [var.private_address]
  tags            = local.tags
}

resource "aws_eip" "hub" {
  #checkov:skip=CKV2_AWS_19:It belongs to the hub's network interface, which outlives the instance
  domain            = "vpc"
  network_interface = aws_network_interface.hub.id
  tags              = local.tags
}

resource "aws_route53_record" "hub" {
  #checkov:skip=CKV2_AWS_23:It points at the hub's Elastic IP
  count = try(var.domain.zone_id, null) == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"
  ttl     = 300
  records = [aws_eip.hub.public_ip]
}

resource "aws_instance" "hub" {
  #checkov:skip=CKV_AWS_88:Students reach the hub, and nothing else, at its public address
  #checkov:skip=CKV_AWS_126:Status checks come every minute without detailed monitoring
  ami                  = var.ami
  instance_type        = var.instance_type
  iam_instance_profile = module.role.instance_profile_name
  ebs_optimized        = true

  # cloud-init writes it at each boot, so that other facts stop and start the hub and do not replace it.
  user_data = templatefile("${path.module}/user-data.sh.tftpl", { ground = merge(local.ground, local.of_app), login = var.login })

  primary_network_interface {
    network_interface_id = aws_network_interface.hub.id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # EC2 recovers the instance within minutes. The alarm below does so for types without that, and notifies.
  maintenance_options {
    auto_recovery = "default"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = var.root_volume_gib
    tags        = local.tags
  }

  tags = local.tags

  # Without its public address it reaches nothing when it first boots.
  depends_on = [aws_eip.hub]

  lifecycle {
    precondition {
      condition     = var.root_volume_gib >= module.image.root_volume_gib
      error_message = "root_volume_gib (hub_root_volume_gib of a cluster) is ${var.root_volume_gib}, and the image ${var.ami} has ${module.image.root_volume_gib} GiB: give at least ${module.image.root_volume_gib}."
    }

    precondition {
      condition     = module.image.architecture == null ? true : contains(data.aws_ec2_instance_type.hub.supported_architectures, module.image.architecture)
      error_message = "instance_type (hub_instance_type of a cluster) is ${var.instance_type}, for ${join(", ", data.aws_ec2_instance_type.hub.supported_architectures)}, and the image ${var.ami} is for ${coalesce(module.image.architecture, "none")}: name a type for the image's architecture, or an image for the type's."
    }

    precondition {
      condition     = local.user_data_bytes <= local.user_data_limit
      error_message = "login, images and chef.ca_pem make ${local.user_data_bytes} bytes of user data, and EC2 takes ${local.user_data_limit}: put long settings of the login into a file in /srv/labswarm/hub/conf.d on the hub, or name fewer images."
    }

    precondition {
      condition     = data.aws_ec2_instance_type.hub.memory_size >= local.least.memory_mib && data.aws_ec2_instance_type.hub.default_vcpus >= local.least.vcpus
      error_message = "instance_type (hub_instance_type of a cluster): ${var.instance_type} has ${data.aws_ec2_instance_type.hub.memory_size} MiB and ${data.aws_ec2_instance_type.hub.default_vcpus} vCPU, too small for a hub: name a type of at least ${local.least.memory_mib} MiB and ${local.least.vcpus} vCPU, such as t3.large."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "recover" {
  alarm_name          = "labswarm-${var.cluster}-hub-recover"
  alarm_description   = "The host of the hub of ${var.cluster} has failed: EC2 starts the instance on another host, with its addresses and volumes. Students are cut off for some minutes"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.hub.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = concat(["arn:${data.aws_partition.current.partition}:automate:${local.region}:ec2:recover"], var.alarm_topic_arns)
  tags                = var.tags
}
