# The tool's own sample: a little of everything that the stacks do.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
  backend "s3" {}
}

provider "aws" {
  region = "eu-west-1"
  default_tags {
    tags = { project = "labswarm" }
  }
}

variable "name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "A name is a letter, then up to 19 of a-z, 0-9 and -."
  }
}

variable "description" {
  description = "The template's purpose."
  type        = string
  default     = null
}

data "aws_availability_zones" "here" {
  state = "available"
}

data "aws_ec2_instance_type" "worker" {
  instance_type = "m7g.2xlarge"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "worker" {
  name               = "labswarm-${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = var.name }
}

resource "aws_subnet" "private" {
  for_each          = toset(slice(data.aws_availability_zones.here.names, 0, 2))
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, index(data.aws_availability_zones.here.names, each.key))
  availability_zone = each.key
}

resource "aws_security_group" "worker" {
  name_prefix = "labswarm-"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "swarm" {
  security_group_id            = aws_security_group.worker.id
  referenced_security_group_id = aws_security_group.worker.id
  ip_protocol                  = "tcp"
  from_port                    = 7946
  to_port                      = 7946
}

resource "aws_launch_template" "worker" {
  name        = "labswarm-${var.name}-workers"
  description = var.description
  image_id    = "ami-0123456789abcdef0"

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted = true
    }
  }

  lifecycle {
    precondition {
      condition     = data.aws_ec2_instance_type.worker.memory_size >= 8192
      error_message = "m7g.2xlarge is too small for a seat of 8 GiB."
    }
  }
}

resource "aws_autoscaling_group" "workers" {
  name                = "labswarm-${var.name}-workers"
  min_size            = 0
  max_size            = 10
  vpc_zone_identifier = [for subnet in aws_subnet.private : subnet.id]
  mixed_instances_policy {
    instances_distribution {
      spot_allocation_strategy = "price-capacity-optimized"
    }
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.worker.id
        version            = aws_launch_template.worker.latest_version
      }
      dynamic "override" {
        for_each = ["m7g.large", "m6g.large"]
        content {
          instance_type = override.value
        }
      }
    }
  }
  dynamic "tag" {
    for_each = { Name = "worker" }
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_acm_certificate" "hub" {
  domain_name       = "hub.example.org"
  validation_method = "DNS"
}

resource "aws_route53_record" "validation" {
  for_each = { for option in aws_acm_certificate.hub.domain_validation_options : option.domain_name => option }
  zone_id  = "Z0123456789ABCDEFGHIJ"
  name     = each.value.resource_record_name
  type     = each.value.resource_record_type
  records  = [each.value.resource_record_value]
  ttl      = 60
}

resource "aws_secretsmanager_secret" "join" {
  name = "labswarm/${var.name}/swarm-join"
}

resource "terraform_data" "emptied" {
  input = aws_autoscaling_group.workers.name
  provisioner "local-exec" {
    when    = destroy
    command = "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names ${self.input}"
  }
}

output "secret" {
  description = "The secret's ARN."
  value       = aws_secretsmanager_secret.join.arn
}

output "template" {
  description = "The template's id and version."
  value       = { id = aws_launch_template.worker.id, version = aws_launch_template.worker.latest_version }
}

output "role" {
  description = "The role's ARN."
  value       = aws_iam_role.worker.arn
}

output "tags" {
  description = "The network's tags with the provider's."
  value       = aws_vpc.this.tags_all
}

output "memory_mib" {
  description = "A worker's memory."
  value       = data.aws_ec2_instance_type.worker.memory_size
}
