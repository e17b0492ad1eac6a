# Values are those of a class on m7i.large; each run changes one.

mock_provider "aws" {
  mock_data "aws_ami_ids" {
    defaults = { ids = ["ami-0123456789abcdef0"] }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 8192, default_vcpus = 2, supported_architectures = ["x86_64"] }
  }
  mock_data "aws_ami" {
    defaults = { root_device_name = "/dev/xvda", architecture = "x86_64" }
  }
}

variables {
  name                   = "physics"
  subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids     = ["sg-0123456789abcdef0"]
  ami                    = "ami-0123456789abcdef0"
  instance_types         = ["m7i.large", "m6i.large"]
  on_demand_base         = 0
  on_demand_percentage   = 0
  root_volume_gib        = 40
  hook_timeout_seconds   = 600
  seat                   = { memory_mib = 1024, cpu = 0.25 }
  overhead               = { memory_mib = 448, cpu = 0.1 }
  headroom               = 2
  images                 = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
  empty_deadline_minutes = 15
  node_start_seconds     = 240
  min_nodes              = 0
  max_nodes              = 10
  instance_profile_arn   = "arn:aws:iam::123456789012:instance-profile/labswarm-physics-worker"
  join_secret            = "labswarm/physics/swarm-join"
  hub_address            = "10.64.0.10"
  efs                    = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
  chef                   = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = null }
}

run "only_the_workers_of_another_app_read_its_prefix" {
  command = plan

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.workers.user_data), "prefix")
    error_message = "Another user data makes another launch template: the usual one stays as it is."
  }
}

run "workers_of_another_app_report_to_it" {
  command = plan
  variables {
    prefix = "labstage"
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.workers.user_data), "\\\"prefix\\\":\\\"labstage\\\"")
    error_message = "A worker reports that its agent has started to its own app."
  }
}

run "group_has_both_hooks_and_leaves_its_size_to_the_app" {
  command = plan

  assert {
    condition     = aws_autoscaling_group.workers.name == "labswarm-physics-workers" && aws_launch_template.workers.name == "labswarm-physics-workers"
    error_message = "The app finds the group by this name."
  }
  assert {
    condition = (
      aws_autoscaling_lifecycle_hook.launch.name == "launch"
      && aws_autoscaling_lifecycle_hook.launch.lifecycle_transition == "autoscaling:EC2_INSTANCE_LAUNCHING"
      && aws_autoscaling_lifecycle_hook.launch.default_result == "ABANDON"
      && aws_autoscaling_lifecycle_hook.terminate.name == "terminate"
      && aws_autoscaling_lifecycle_hook.terminate.lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"
      && aws_autoscaling_lifecycle_hook.terminate.default_result == "CONTINUE"
    )
    error_message = "A launch that fails is given up, a termination that fails goes on."
  }
  assert {
    condition = (
      aws_autoscaling_group.workers.min_size == 0 && aws_autoscaling_group.workers.max_size == 10
      && aws_autoscaling_group.workers.protect_from_scale_in && aws_autoscaling_group.workers.capacity_rebalance == false
      && aws_autoscaling_group.workers.suspended_processes == toset(["AZRebalance"])
    )
    error_message = "Nothing but the app may end a worker, or keep one."
  }
  assert {
    condition     = alltrue([for policy in [aws_autoscaling_policy.cpu, aws_autoscaling_policy.memory] : policy.target_tracking_configuration[0].disable_scale_in])
    error_message = "The safety net only scales out."
  }
}

run "tags_reach_the_instances" {
  command = plan

  assert {
    condition = { for tag in aws_autoscaling_group.workers.tag : tag.key => tag.value if tag.propagate_at_launch } == {
      "labswarm:cluster" = "physics"
      "labswarm:role"    = "worker"
      Name               = "labswarm-physics-worker"
    }
    error_message = "Permissions and reconcile go by these tags."
  }
}

run "instances_have_no_public_address_and_metadata_within_one_hop" {
  command = plan

  assert {
    condition = (
      aws_launch_template.workers.metadata_options[0].http_tokens == "required"
      && aws_launch_template.workers.metadata_options[0].http_put_response_hop_limit == 1
      && aws_launch_template.workers.network_interfaces[0].associate_public_ip_address == "false"
      && aws_launch_template.workers.key_name == null
      && aws_launch_template.workers.block_device_mappings[0].ebs[0].encrypted == "true"
    )
    error_message = "A student's container must not get the worker's credentials, and nobody logs in over SSH."
  }
}

run "ground_tells_what_terraform_knows_and_no_secret" {
  command = plan

  assert {
    condition = jsondecode(yamldecode(base64decode(aws_launch_template.workers.user_data)).write_files[0].content) == {
      cluster     = "physics"
      role        = "worker"
      region      = "eu-west-1"
      join_secret = "labswarm/physics/swarm-join"
      images      = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
      chef        = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = null }
      efs         = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
      hub_address = "10.64.0.10"
    }
    error_message = "The cookbooks read these fields of /etc/labswarm/ground.json."
  }
  assert {
    condition     = startswith(base64decode(aws_launch_template.workers.user_data), "#cloud-config\n")
    error_message = "cloud-init goes by the first line."
  }
}

run "settings_count_as_the_app_does" {
  command = plan

  assert {
    condition     = output.settings.seat == { memory_bytes = 1073741824, nano_cpus = 250000000 } && output.settings.overhead == { memory_bytes = 469762048, nano_cpus = 100000000 }
    error_message = "Bytes, and billionths of a core."
  }
  assert {
    condition     = output.settings.empty_deadline_s == 900 && output.settings.asg == "labswarm-physics-workers"
    error_message = "The description's deadline is in seconds."
  }
  assert {
    condition     = output.seats_per_node == { "m7i.large" = 7, "m6i.large" = 7 }
    error_message = "7744 MiB are 7 seats of 1024, 1.9 cores are 7 of 0.25."
  }
}

run "a_fraction_of_a_minute_is_whole_seconds" {
  command = plan

  variables {
    empty_deadline_minutes = 0.25
  }
  assert {
    condition     = output.settings.empty_deadline_s == 15
    error_message = "A quarter of a minute is 15 s."
  }
}

run "name_with_a_capital_is_refused" {
  command = plan
  variables {
    name = "Physics"
  }
  expect_failures = [var.name]
}

run "no_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = []
  }
  expect_failures = [var.subnet_ids]
}

run "no_instance_type_is_refused" {
  command = plan
  variables {
    instance_types = []
  }
  expect_failures = [var.instance_types]
}

run "instance_type_without_memory_for_a_seat_is_refused" {
  command = plan
  variables {
    seat = { memory_mib = 7745, cpu = 0.25 }
  }
  expect_failures = [aws_launch_template.workers]
}

run "instance_type_without_cpu_for_a_seat_is_refused" {
  command = plan
  variables {
    seat = { memory_mib = 1024, cpu = 1.91 }
  }
  expect_failures = [aws_launch_template.workers]
}

run "one_type_of_many_that_is_too_small_is_refused" {
  command = plan
  override_data {
    target = data.aws_ec2_instance_type.worker["m6i.large"]
    values = { memory_size = 1024, default_vcpus = 2, supported_architectures = ["x86_64"] }
  }
  expect_failures = [aws_launch_template.workers]
}

run "percentage_over_100_is_refused" {
  command = plan
  variables {
    on_demand_percentage = 101
  }
  expect_failures = [var.on_demand_percentage]
}

run "negative_percentage_is_refused" {
  command = plan
  variables {
    on_demand_percentage = -1
  }
  expect_failures = [var.on_demand_percentage]
}

run "negative_on_demand_base_is_refused" {
  command = plan
  variables {
    on_demand_base = -1
  }
  expect_failures = [var.on_demand_base]
}

run "volume_too_small_for_images_is_refused" {
  command = plan
  variables {
    root_volume_gib = 8
  }
  expect_failures = [var.root_volume_gib]
}

run "volume_smaller_than_its_image_is_refused" {
  command = plan
  override_data {
    target = module.image.data.aws_ami.image
    values = {
      architecture     = "x86_64"
      root_device_name = "/dev/sda1"
      block_device_mappings = [
        { device_name = "/dev/sda1", ebs = { volume_size = "50" }, no_device = "", virtual_name = "" },
        { device_name = "/dev/sdb", ebs = {}, no_device = "", virtual_name = "ephemeral0" },
      ]
    }
  }
  expect_failures = [aws_launch_template.workers]
}

run "volume_as_large_as_its_image_is_taken" {
  command = plan
  variables {
    root_volume_gib = 50
  }
  override_data {
    target = module.image.data.aws_ami.image
    values = {
      architecture          = "x86_64"
      root_device_name      = "/dev/sda1"
      block_device_mappings = [{ device_name = "/dev/sda1", ebs = { volume_size = "50" }, no_device = "", virtual_name = "" }]
    }
  }
}

run "hook_that_could_miss_its_sign_of_life_is_refused" {
  command = plan
  variables {
    hook_timeout_seconds = 179
  }
  expect_failures = [var.hook_timeout_seconds]
}

run "heartbeat_over_7200_s_is_refused" {
  command = plan
  variables {
    hook_timeout_seconds = 7201
  }
  expect_failures = [var.hook_timeout_seconds]
}

run "both_hooks_wait_as_long_as_is_said" {
  command = plan
  variables {
    hook_timeout_seconds = 7200
  }
  assert {
    condition     = aws_autoscaling_lifecycle_hook.launch.heartbeat_timeout == 7200 && aws_autoscaling_lifecycle_hook.terminate.heartbeat_timeout == 7200
    error_message = "One variable is for both."
  }
}

run "seat_without_memory_is_refused" {
  command = plan
  variables {
    seat = { memory_mib = 0, cpu = 0.25 }
  }
  expect_failures = [var.seat]
}

run "negative_overhead_is_refused" {
  command = plan
  variables {
    overhead = { memory_mib = -1, cpu = 0.1 }
  }
  expect_failures = [var.overhead]
}

run "negative_headroom_is_refused" {
  command = plan
  variables {
    headroom = -1
  }
  expect_failures = [var.headroom]
}

run "image_with_a_comma_is_refused" {
  command = plan
  variables {
    images = ["a,b"]
  }
  expect_failures = [var.images]
}

run "negative_deadline_is_refused" {
  command = plan
  variables {
    empty_deadline_minutes = -1
  }
  expect_failures = [var.empty_deadline_minutes]
}

run "deadline_longer_than_an_execution_can_wait_is_refused" {
  command = plan
  variables {
    empty_deadline_minutes = 181
  }
  expect_failures = [var.empty_deadline_minutes]
}

run "timetable_over_http_is_refused" {
  command = plan
  variables {
    timetable = "http://calendar.example.edu/labs.ics"
  }
  expect_failures = [var.timetable]
}

run "timetable_in_a_parameter_is_taken" {
  command = plan
  variables {
    timetable = "ssm:/labswarm/timetables/physics"
  }
  assert {
    condition     = output.settings.timetable == "ssm:/labswarm/timetables/physics"
    error_message = "The description names the timetable."
  }
}

run "node_start_of_no_time_is_refused" {
  command = plan
  variables {
    node_start_seconds = 0
  }
  expect_failures = [var.node_start_seconds]
}

run "negative_min_nodes_is_refused" {
  command = plan
  variables {
    min_nodes = -1
  }
  expect_failures = [var.min_nodes]
}

run "min_nodes_over_max_nodes_is_refused" {
  command = plan
  variables {
    min_nodes = 11
  }
  expect_failures = [var.min_nodes]
}

run "no_max_nodes_is_refused" {
  command = plan
  variables {
    max_nodes = 0
  }
  expect_failures = [var.max_nodes]
}

run "target_over_100_per_cent_is_refused" {
  command = plan
  variables {
    scale_out_at = { cpu_percent = 120 }
  }
  expect_failures = [var.scale_out_at]
}

run "name_with_a_hyphen_at_its_end_is_refused" {
  command = plan
  variables {
    name = "physics-"
  }
  expect_failures = [var.name]
}

run "no_class_image_is_refused" {
  command = plan
  variables {
    images = []
  }
  expect_failures = [var.images]
}

run "more_images_than_the_description_has_room_for_are_refused" {
  command = plan
  variables {
    images = [for number in range(100) : "quay.io/jupyter/scipy-notebook-${number}:2025-03-14"]
  }
  expect_failures = [var.images]
}

run "type_of_another_architecture_than_the_image_is_refused" {
  command = plan
  variables {
    instance_types = ["m7i.large", "m7g.large"]
  }
  override_data {
    target = data.aws_ec2_instance_type.worker["m7g.large"]
    values = { memory_size = 8192, default_vcpus = 2, supported_architectures = ["arm64"] }
  }
  expect_failures = [aws_launch_template.workers]
}

run "deregistered_image_does_not_end_the_plan" {
  command = plan
  override_module {
    target  = module.image
    outputs = { architecture = null, root_device_name = "/dev/sda1", root_volume_gib = 0 }
  }
  assert {
    condition     = aws_launch_template.workers.block_device_mappings[0].device_name == "/dev/sda1"
    error_message = "The launch template stays as it was."
  }
}

run "user_data_over_16_kib_is_refused" {
  command = plan
  variables {
    chef = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = join("", [for line in range(250) : "MIIFazCCA1OgAwIBAgIRAIIQz7DSQONZRGPgu2OCiwAwDQYJKoZIhvcNAQELBQAw\n"]) }
  }
  expect_failures = [aws_launch_template.workers]
}
