mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_vpc" {
    defaults = {
      cidr_block           = "10.20.0.0/16"
      enable_dns_support   = true
      enable_dns_hostnames = true
    }
  }
  mock_data "aws_vpc_dhcp_options" {
    defaults = { domain_name_servers = ["AmazonProvidedDNS"] }
  }
  override_data {
    target = data.aws_subnet.existing_private[0]
    values = { availability_zone = "eu-west-1a" }
  }
  override_data {
    target = data.aws_subnet.existing_private[1]
    values = { availability_zone = "eu-west-1b" }
  }
}

variables {
  zones = ["eu-west-1a", "eu-west-1b"]
}

run "one_nat_gateway_serves_both_zones" {
  assert {
    condition     = join(" ", keys(aws_nat_gateway.this)) == "eu-west-1a"
    error_message = "egress \"nat\" is one NAT gateway, in the first zone."
  }
  assert {
    condition     = length(aws_route.nat) == 2 && length(aws_vpc_endpoint.interface) == 0
    error_message = "Each private subnet has its way out by NAT, and no endpoint is paid for in addition."
  }
  assert {
    condition     = output.internet && length(output.prefix_list_ids) == 0
    error_message = "With NAT the Internet is reached."
  }
}

run "a_nat_gateway_in_each_zone" {
  variables {
    egress = "nat_per_zone"
  }
  assert {
    condition     = join(" ", keys(aws_nat_gateway.this)) == "eu-west-1a eu-west-1b"
    error_message = "egress \"nat_per_zone\" is a NAT gateway in each zone."
  }
}

run "endpoints_only" {
  variables {
    egress = "endpoints"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "With endpoints there is no way to the Internet."
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 5 && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "An endpoint is missing, or is not found by the service's own name."
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.https) == 0 && length(aws_vpc_security_group_egress_rule.http) == 0
    error_message = "A rule lets somebody out to the world."
  }
  assert {
    condition     = !output.internet && join(" ", keys(output.prefix_list_ids)) == "dynamodb s3"
    error_message = "The gateways' prefix lists are missing."
  }
}

run "subnets_are_apart_and_a_further_zone_moves_none" {
  variables {
    zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }
  assert {
    condition     = join(" ", values(aws_subnet.private)[*].cidr_block) == "10.64.0.0/20 10.64.16.0/20 10.64.32.0/20"
    error_message = "Private subnets are the first sixteenths."
  }
  assert {
    condition     = join(" ", values(aws_subnet.public)[*].cidr_block) == "10.64.128.0/20 10.64.144.0/20 10.64.160.0/20"
    error_message = "Public subnets are the last eight sixteenths."
  }
}

run "nothing_is_public_by_itself" {
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "An instance would get a public address unasked."
  }
}

run "no_door_is_open_to_addresses" {
  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.chef_server), values(aws_vpc_security_group_ingress_rule.endpoints)) :
      contains(values(output.security_groups), rule.referenced_security_group_id) && rule.from_port == 443 && rule.to_port == 443
    ])
    error_message = "Somebody is let in by address, or to another port than 443."
  }
}

run "flow_logs_are_encrypted" {
  assert {
    condition     = aws_cloudwatch_log_group.flow_logs[0].kms_key_id == aws_kms_key.flow_logs[0].arn && aws_flow_log.this[0].traffic_type == "ALL"
    error_message = "Flow logs are not encrypted, or not whole."
  }
  # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
  assert {
    condition = toset(flatten(jsondecode(aws_iam_role_policy.flow_logs[0].policy).Statement[*].Action)) == toset([
      "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
    ])
    error_message = "The service may do less, or more, than AWS asks for."
  }
}

run "a_given_vpc_gets_security_groups_and_nothing_else" {
  variables {
    zones = []
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  assert {
    condition = 0 == sum([
      length(aws_vpc.this), length(aws_subnet.private), length(aws_subnet.public), length(aws_internet_gateway.this),
      length(aws_nat_gateway.this), length(aws_vpc_endpoint.gateway), length(aws_vpc_endpoint.interface), length(aws_flow_log.this),
    ])
    error_message = "Something was added to a VPC that is somebody else's."
  }
  assert {
    condition     = output.vpc_id == "vpc-0a000000000000001" && tolist(output.zones) == tolist(["eu-west-1a", "eu-west-1b"]) && output.vpc_cidr == "10.20.0.0/16"
    error_message = "The outputs are not the given VPC's."
  }
}

run "two_given_subnets_in_one_zone" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  override_data {
    target = data.aws_subnet.existing_private[1]
    values = { availability_zone = "eu-west-1a" }
  }
  expect_failures = [aws_security_group.chef_server]
}

run "a_given_vpc_without_names" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  override_data {
    target = data.aws_vpc.existing[0]
    values = { enable_dns_support = true, enable_dns_hostnames = false }
  }
  expect_failures = [data.aws_vpc.existing[0]]
}

run "a_given_vpc_that_docker_would_shadow" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  override_data {
    target = data.aws_vpc.existing[0]
    values = { cidr_block = "172.20.0.0/16", enable_dns_support = true, enable_dns_hostnames = true }
  }
  expect_failures = [data.aws_vpc.existing[0]]
}

run "a_given_vpc_with_a_second_range_that_the_swarm_would_shadow" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  override_data {
    target = data.aws_vpc.existing[0]
    values = {
      cidr_block              = "10.20.0.0/16"
      cidr_block_associations = [{ association_id = "", cidr_block = "10.97.128.0/20", state = "associated" }]
      enable_dns_support      = true
      enable_dns_hostnames    = true
    }
  }
  expect_failures = [data.aws_vpc.existing[0]]
}

run "a_given_vpc_with_the_name_servers_of_a_campus" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  override_data {
    target = data.aws_vpc_dhcp_options.existing[0]
    values = { domain_name_servers = ["192.0.2.53"] }
  }
  expect_failures = [data.aws_vpc_dhcp_options.existing[0]]
}

run "zones_of_another_region" {
  command = plan
  variables {
    zones = ["us-east-1a", "us-east-1b"]
  }
  expect_failures = [aws_vpc.this]
}

run "a_name_that_is_none" {
  command = plan
  variables {
    name = "Lab Swarm"
  }
  expect_failures = [var.name]
}

run "a_range_that_is_none" {
  command = plan
  variables {
    vpc_cidr = "10.64.0.0"
  }
  expect_failures = [var.vpc_cidr]
}

run "a_range_of_ipv6" {
  command = plan
  variables {
    vpc_cidr = "2001:db8::/56"
  }
  expect_failures = [var.vpc_cidr]
}

run "a_range_that_starts_in_its_middle" {
  command = plan
  variables {
    vpc_cidr = "10.64.1.0/16"
  }
  expect_failures = [var.vpc_cidr]
}

run "a_range_too_large" {
  command = plan
  variables {
    vpc_cidr = "10.0.0.0/8"
  }
  expect_failures = [var.vpc_cidr]
}

run "a_range_too_small" {
  command = plan
  variables {
    vpc_cidr = "10.64.0.0/24"
  }
  expect_failures = [var.vpc_cidr]
}

run "dockers_own_range" {
  command = plan
  variables {
    vpc_cidr = "172.17.0.0/16"
  }
  expect_failures = [var.vpc_cidr]
}

run "the_range_of_dockers_networks" {
  command = plan
  variables {
    vpc_cidr = "172.20.0.0/16"
  }
  expect_failures = [var.vpc_cidr]
}

run "the_range_of_the_swarms_networks" {
  command = plan
  variables {
    vpc_cidr = "10.97.64.0/20"
  }
  expect_failures = [var.vpc_cidr]
}

run "no_zone" {
  command = plan
  variables {
    zones = []
  }
  expect_failures = [var.zones]
}

run "one_zone" {
  command = plan
  variables {
    zones = ["eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "a_zone_twice" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "a_region_in_place_of_a_zone" {
  command = plan
  variables {
    zones = ["eu-west-1", "eu-west-1b"]
  }
  expect_failures = [var.zones]
}

run "a_way_out_that_is_none" {
  command = plan
  variables {
    egress = "vpn"
  }
  expect_failures = [var.egress]
}

run "endpoints_without_what_a_join_needs" {
  command = plan
  variables {
    endpoint_services = ["ssm"]
  }
  expect_failures = [var.endpoint_services]
}

run "an_interface_endpoint_for_s3" {
  command = plan
  variables {
    endpoint_services = ["kms", "s3", "secretsmanager", "ssm", "ssmmessages"]
  }
  expect_failures = [var.endpoint_services]
}

run "a_given_vpc_by_name" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "department"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  expect_failures = [var.existing_vpc]
}

run "a_given_vpc_with_one_private_subnet" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  expect_failures = [var.existing_vpc]
}

run "a_given_vpc_without_a_public_subnet" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
      public_subnet_ids  = []
    }
  }
  expect_failures = [var.existing_vpc]
}

run "a_given_subnet_that_is_none" {
  command = plan
  variables {
    existing_vpc = {
      vpc_id             = "vpc-0a000000000000001"
      private_subnet_ids = ["subnet-0a000000000000001", "private-b"]
      public_subnet_ids  = ["subnet-0b000000000000001"]
    }
  }
  expect_failures = [var.existing_vpc]
}

run "flow_logs_for_a_number_of_days_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    flow_log_days = 10
  }
  expect_failures = [var.flow_log_days]
}
