data "aws_region" "current" {}

data "aws_ec2_instance_type" "worker" {
  for_each = toset(var.instance_types)

  instance_type = each.key
}

module "image" {
  source = "../image"

  ami      = var.ami
  argument = "worker_ami"
  owners   = var.image_owners
}

locals {
  asg = "${var.prefix}-${var.name}-workers"

  # The app's permissions, its events and its reconcile pass find the instances by these tags.
  tags = merge(var.tags, var.prefix == "labswarm" ? {} : { "labswarm:app" = var.prefix }, {
    "labswarm:cluster" = var.name
    "labswarm:role"    = "worker"
    Name               = "labswarm-${var.name}-worker"
  })

  # From the nominal size. The kernel keeps some memory, so a worker may have a seat less.
  seats_per_node = {
    for name, type in data.aws_ec2_instance_type.worker : name => max(0, floor(min(
      (type.memory_size - var.overhead.memory_mib) / var.seat.memory_mib,
      (type.default_vcpus - var.overhead.cpu) / var.seat.cpu,
    )))
  }
  too_small = [for name, seats in local.seats_per_node : name if seats < 1]

  other_architecture = [
    for name, type in data.aws_ec2_instance_type.worker : name
    if module.image.architecture == null ? false : !contains(type.supported_architectures, module.image.architecture)
  ]

  # Terraform's facts; the cookbooks make node.json of it and of the instance's metadata. No secret.
  ground = {
    cluster     = var.name
    role        = "worker"
    region      = data.aws_region.current.region
    join_secret = var.join_secret
    images      = var.images
    chef        = var.chef
    efs         = var.efs
    hub_address = var.hub_address
  }

  # The cookbooks have the usual prefix by themselves, and a change of the user data replaces workers.
  of_app = var.prefix == "labswarm" ? {} : { prefix = var.prefix }

  # Placeholders of the greatest length stand for ids and addresses, so that a plan counts the bytes as well.
  # The limit is on the bytes before base64: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
  user_data_limit = 16384
  user_data_bytes = floor(length(base64encode(templatefile("${path.module}/user-data.yaml.tftpl", {
    ground = merge(local.ground, local.of_app, {
      join_secret = "labswarm/${var.name}/swarm-join"
      hub_address = "255.255.255.255"
      efs         = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
    })
  }))) * 3 / 4)
}

resource "aws_launch_template" "workers" {
  name                   = local.asg
  description            = "Workers of the labswarm cluster ${var.name}"
  image_id               = var.ami
  instance_type          = var.instance_types[0]
  update_default_version = true

  user_data = base64encode(templatefile("${path.module}/user-data.yaml.tftpl", { ground = merge(local.ground, local.of_app) }))

  iam_instance_profile {
    arn = var.instance_profile_arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = var.security_group_ids
  }

  block_device_mappings {
    # Under any other name it would be a second volume next to the image's own.
    device_name = module.image.root_device_name

    ebs {
      encrypted             = true
      volume_type           = "gp3"
      volume_size           = var.root_volume_gib
      delete_on_termination = true
    }
  }

  # Instances get their tags from the group.
  tag_specifications {
    resource_type = "volume"
    tags          = local.tags
  }

  tags = var.tags

  lifecycle {
    precondition {
      condition     = var.root_volume_gib >= module.image.root_volume_gib
      error_message = "root_volume_gib (worker_volume_gib of a cluster) is ${var.root_volume_gib}, and the image ${var.ami} has ${module.image.root_volume_gib} GiB: give at least ${module.image.root_volume_gib}, or no worker launches."
    }

    precondition {
      condition     = length(local.other_architecture) == 0
      error_message = "instance_types: ${join(", ", local.other_architecture)} cannot run the image ${var.ami}, which is for ${coalesce(module.image.architecture, "none")}: name types of that architecture, or an image for theirs."
    }

    precondition {
      condition     = local.user_data_bytes <= local.user_data_limit
      error_message = "images and chef.ca_pem make ${local.user_data_bytes} bytes of user data, and EC2 takes ${local.user_data_limit}: name fewer images."
    }

    precondition {
      condition     = length(local.too_small) == 0
      error_message = "instance_types: ${join(", ", local.too_small)} has no room for one seat (${var.seat.memory_mib} MiB, ${var.seat.cpu} CPU) next to the overhead (${var.overhead.memory_mib} MiB, ${var.overhead.cpu} CPU): name larger types, or make seat or overhead smaller."
    }
  }
}

resource "aws_autoscaling_group" "workers" {
  name                = local.asg
  vpc_zone_identifier = var.subnet_ids

  # The app sizes the group. It has no minimum, so that nothing launches before the hooks are there.
  min_size         = 0
  desired_capacity = 0
  max_size         = var.max_nodes

  # Only the app ends instances.
  protect_from_scale_in = true
  capacity_rebalance    = false
  suspended_processes   = ["AZRebalance"]

  health_check_type         = "EC2"
  default_instance_warmup   = var.node_start_seconds
  wait_for_capacity_timeout = "0"
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances"]

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = var.on_demand_base
      on_demand_percentage_above_base_capacity = var.on_demand_percentage
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.workers.id
        version            = "$Latest"
      }

      dynamic "override" {
        for_each = var.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  dynamic "tag" {
    for_each = local.tags

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

resource "aws_autoscaling_lifecycle_hook" "launch" {
  name                   = "launch"
  autoscaling_group_name = aws_autoscaling_group.workers.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = var.hook_timeout_seconds
  default_result         = "ABANDON"
}

resource "aws_autoscaling_lifecycle_hook" "terminate" {
  name                   = "terminate"
  autoscaling_group_name = aws_autoscaling_group.workers.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = var.hook_timeout_seconds
  default_result         = "CONTINUE"
}

# A safety net that only scales out: lab hours shrink the group.

resource "aws_autoscaling_policy" "cpu" {
  name                   = "cpu"
  autoscaling_group_name = aws_autoscaling_group.workers.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = var.scale_out_at.cpu_percent
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }

  # Its instances have hooks to pass.
  depends_on = [aws_autoscaling_lifecycle_hook.launch, aws_autoscaling_lifecycle_hook.terminate]
}

resource "aws_autoscaling_policy" "memory" {
  name                   = "memory"
  autoscaling_group_name = aws_autoscaling_group.workers.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = var.scale_out_at.memory_percent
    disable_scale_in = true

    customized_metric_specification {
      namespace   = "CWAgent"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.workers.name
      }
    }
  }

  depends_on = [aws_autoscaling_lifecycle_hook.launch, aws_autoscaling_lifecycle_hook.terminate]
}
