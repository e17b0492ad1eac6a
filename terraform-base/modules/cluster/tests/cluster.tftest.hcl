mock_provider "aws" {
  mock_data "aws_ami_ids" {
    defaults = { ids = ["ami-0123456789abcdef0"] }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 16384, default_vcpus = 4, supported_architectures = ["x86_64"] }
  }
  mock_data "aws_ami" {
    defaults = { root_device_name = "/dev/xvda", architecture = "x86_64" }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-west-1a" }
  }
  override_data {
    target = data.aws_subnet.workers[1]
    values = { availability_zone = "eu-west-1b" }
  }
  mock_resource "aws_instance" {
    defaults = { id = "i-0123456789abcdef0" }
  }
}

variables {
  delete_homes_on_destroy = true # or the last run could not be taken down

  name              = "physics"
  vpc_id            = "vpc-0123456789abcdef0"
  subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  public_subnet_ids = ["subnet-0123456789abcdef2"]
  security_groups   = { nodes = "sg-0123456789abcdef0" }
  chef              = { url = "https://10.64.0.20" }
  hub_ami           = "ami-0123456789abcdef0"
  worker_ami        = "ami-0123456789abcdef0"
  images            = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
}

run "further_group_is_a_cluster_of_its_own_with_the_same_hub" {
  command = plan

  variables {
    extra_groups = { memory = { instance_types = ["r7i.xlarge"], seat = { memory_mib = 12288, cpu = 3 }, max_nodes = 6 } }
  }
  assert {
    condition     = keys(output.settings) == ["physics", "physics-memory"] && output.settings["physics-memory"].asg == "labswarm-physics-memory-workers"
    error_message = "The app knows group memory of physics as physics-memory."
  }
  assert {
    condition     = output.settings["physics-memory"].seat.memory_bytes == 12288 * 1048576 && output.settings["physics-memory"].max_nodes == 6
    error_message = "The group has seats and limits of its own."
  }
  assert {
    condition     = output.settings["physics-memory"].images == output.settings["physics"].images && output.settings["physics-memory"].empty_deadline_s == 900
    error_message = "The group's missing fields are as in the main one."
  }
  assert {
    condition     = [for description in aws_ssm_parameter.description : description.name] == ["/labswarm/clusters/physics", "/labswarm/clusters/physics-memory"]
    error_message = "Each has its description."
  }
}

run "names_of_the_app_begin_with_its_prefix" {
  command = plan

  variables {
    prefix = "labstage"
  }
  assert {
    condition     = output.settings["physics"].asg == "labstage-physics-workers" && aws_ssm_parameter.description["physics"].name == "/labstage/clusters/physics"
    error_message = "The app labstage finds its groups and descriptions by their names."
  }
  assert {
    condition = [
      for statement in local.worker_statements : statement.Condition["ForAllValues:StringEquals"] if statement.Sid == "AgentStarted"
    ] == [{ "events:source" = "labstage.node", "events:detail-type" = "AgentStarted" }]
    error_message = "A worker of the app labstage puts one kind of event, and that app's."
  }
}

run "prefix_with_a_hyphen_is_refused" {
  command = plan
  variables {
    prefix = "labswarm-stage"
  }
  expect_failures = [var.prefix]
}

run "descriptions_are_whole" {
  command = apply

  variables {
    extra_groups = { memory = { instance_types = ["r7i.xlarge"], seat = { memory_mib = 12288, cpu = 3 } } }
  }
  assert {
    condition = jsondecode(output.descriptions["physics"]) == {
      name             = "physics"
      asg              = "labswarm-physics-workers"
      manager          = "i-0123456789abcdef0"
      chef             = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = null, admin = "labswarm", key_id = "alias/labswarm-chef-admin" }
      seat             = { memory_bytes = 1073741824, nano_cpus = 250000000 }
      overhead         = { memory_bytes = 469762048, nano_cpus = 100000000 }
      headroom         = 0
      images           = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
      empty_deadline_s = 900
      timetable        = null
      node_start_s     = 240
      min_nodes        = 0
      max_nodes        = 10
    }
    error_message = "labswarm.cluster.Cluster.parse reads these fields."
  }
  assert {
    condition     = jsondecode(output.descriptions["physics-memory"]).manager == "i-0123456789abcdef0"
    error_message = "Both groups have the same manager."
  }
}

run "nodes_of_another_cluster_are_let_in_nowhere" {
  command = plan

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.reference : rule.cidr_ipv4 == null])
    error_message = "Among our own, groups are named, not addresses."
  }
  assert {
    condition     = length([for rule in concat(values(aws_vpc_security_group_ingress_rule.reference), values(aws_vpc_security_group_ingress_rule.students)) : rule if rule.from_port <= 22 && rule.to_port >= 22]) == 0
    error_message = "There is no SSH."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.students : "${rule.cidr_ipv4} ${rule.from_port}"]) == toset(["0.0.0.0/0 443", "0.0.0.0/0 80"])
    error_message = "From outside, only the hub's web ports are open."
  }
}

run "without_internet_workers_reach_endpoints_and_prefix_lists_only" {
  command = plan

  variables {
    internet        = false
    prefix_list_ids = { s3 = "pl-6da54004", dynamodb = "pl-66a5400f" }
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.internet)) == toset(["hub 443", "hub 80"]) && length(aws_vpc_security_group_egress_rule.prefix_list) == 2
    error_message = "Workers have no rule to the Internet."
  }
}

run "name_with_a_capital_is_refused" {
  command = plan
  variables {
    name = "Physics"
  }
  expect_failures = [var.name]
}

run "name_too_long_for_the_app_is_refused" {
  command = plan
  variables {
    name = "introduction-to-physics"
  }
  expect_failures = [var.name]
}

run "group_whose_cluster_has_too_long_a_name_is_refused" {
  command = plan
  variables {
    extra_groups = { graphics-cards = { instance_types = ["r7i.xlarge"], seat = { memory_mib = 12288, cpu = 3 } } }
  }
  expect_failures = [var.extra_groups]
}

run "group_with_an_underscore_is_refused" {
  command = plan
  variables {
    extra_groups = { big_memory = { instance_types = ["r7i.xlarge"], seat = { memory_mib = 12288, cpu = 3 } } }
  }
  expect_failures = [var.extra_groups]
}

run "no_private_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = []
  }
  expect_failures = [var.subnet_ids]
}

run "no_public_subnet_is_refused" {
  command = plan
  variables {
    public_subnet_ids = []
  }
  expect_failures = [var.public_subnet_ids]
}

run "cidr_that_is_none_is_refused" {
  command = plan
  variables {
    hub_ingress_cidrs = ["192.0.2.0/33"]
  }
  expect_failures = [var.hub_ingress_cidrs]
}

run "cidr_with_bits_after_its_prefix_is_refused" {
  command = plan
  variables {
    hub_ingress_cidrs = ["192.0.2.7/24"]
  }
  expect_failures = [var.hub_ingress_cidrs]
}

run "hub_that_lets_encrypt_cannot_ask_is_refused" {
  command = plan
  variables {
    hub_ingress_cidrs = ["192.0.2.0/24"]
    domain            = { name = "physics.hub.example.edu", acme_email = "it@example.edu" }
  }
  expect_failures = [var.hub_ingress_cidrs]
}

run "two_private_subnets_in_one_zone_are_refused" {
  command = plan
  override_data {
    target = data.aws_subnet.workers[1]
    values = { availability_zone = "eu-west-1a" }
  }
  expect_failures = [aws_security_group.homes]
}

run "hub_in_a_zone_without_homes_is_refused" {
  command = plan
  override_data {
    target = data.aws_subnet.hub
    values = { availability_zone = "eu-west-1c" }
  }
  expect_failures = [aws_security_group.homes]
}

run "hub_reaches_what_its_log_in_wants" {
  command = plan
  variables {
    hub_egress_ports = [443, 80, 636]
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.internet["hub 636"].to_port == 636
    error_message = "LDAP is not reached."
  }
}

run "hub_that_cannot_reach_packages_is_refused" {
  command = plan
  variables {
    hub_egress_ports = [443, 636]
  }
  expect_failures = [var.hub_egress_ports]
}

run "hubs_port_of_nothing_is_refused" {
  command = plan
  variables {
    hub_egress_ports = [443, 80, 0]
  }
  expect_failures = [var.hub_egress_ports]
}

run "port_over_65535_is_refused" {
  command = plan
  variables {
    worker_egress_ports = [443, 65536]
  }
  expect_failures = [var.worker_egress_ports]
}

run "workers_that_cannot_reach_aws_are_refused" {
  command = plan
  variables {
    worker_egress_ports = [80]
  }
  expect_failures = [var.worker_egress_ports]
}

run "chef_server_without_tls_is_refused" {
  command = plan
  variables {
    chef = { url = "http://10.64.0.20" }
  }
  expect_failures = [var.chef]
}

run "name_with_a_hyphen_at_its_end_is_refused" {
  command = plan
  variables {
    name = "physics-"
  }
  expect_failures = [var.name]
}

run "group_with_a_hyphen_at_its_end_is_refused" {
  command = plan
  variables {
    extra_groups = { memory- = { instance_types = ["r7i.xlarge"], seat = { memory_mib = 12288, cpu = 3 } } }
  }
  expect_failures = [var.extra_groups]
}

run "no_class_image_is_refused" {
  command = plan
  variables {
    images = []
  }
  expect_failures = [var.images]
}

run "cidr_given_twice_is_refused" {
  command = plan
  variables {
    hub_ingress_cidrs = ["192.0.2.0/24", "198.51.100.0/24", "192.0.2.0/24"]
  }
  expect_failures = [var.hub_ingress_cidrs]
}

run "more_cidrs_than_a_security_group_has_room_for_are_refused" {
  command = plan
  variables {
    hub_ingress_cidrs = [for number in range(29) : "10.0.${number}.0/24"]
  }
  expect_failures = [var.hub_ingress_cidrs]
}

run "hubs_port_given_twice_is_refused" {
  command = plan
  variables {
    hub_egress_ports = [443, 80, 443]
  }
  expect_failures = [var.hub_egress_ports]
}

run "workers_port_given_twice_is_refused" {
  command = plan
  variables {
    worker_egress_ports = [443, 22, 22]
  }
  expect_failures = [var.worker_egress_ports]
}

run "owner_by_its_name_is_refused" {
  command = plan
  variables {
    image_owners = ["department"]
  }
  expect_failures = [var.image_owners]
}

run "topic_by_its_name_is_refused" {
  command = plan
  variables {
    alarm_topic_arns = ["labswarm-alarms"]
  }
  expect_failures = [var.alarm_topic_arns]
}

run "hubs_root_volume_is_the_one_given" {
  command = plan
  variables {
    hub_root_volume_gib = 64
  }
  assert {
    condition     = module.hub.root_volume_gib == 64
    error_message = "The hub's root volume is not the one given."
  }
}

run "description_over_8_kib_is_refused" {
  command = plan
  variables {
    chef = { url = "https://10.64.0.20", ca_pem = join("", [for line in range(120) : "MIIFazCCA1OgAwIBAgIRAIIQz7DSQONZRGPgu2OCiwAwDQYJKoZIhvcNAQELBQAw\n"]) }
  }
  expect_failures = [aws_ssm_parameter.description]
}

run "more_topics_than_an_alarm_takes_are_refused" {
  command = plan
  variables {
    alarm_topic_arns = [for number in range(5) : "arn:aws:sns:eu-west-1:123456789012:topic-${number}"]
  }
  expect_failures = [var.alarm_topic_arns]
}
