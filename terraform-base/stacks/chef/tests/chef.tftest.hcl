mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "-----BEGIN CERTIFICATE-----\n" }
  }
}

variables {
  region          = "eu-west-1"
  zones           = ["eu-west-1a", "eu-west-1b"]
  chef_server_ami = "ami-0a000000000000001"
}

run "the_apps_parameters" {
  assert {
    condition = output.sam_parameter_overrides == join(" ", [
      "ChefSubnets=${join(",", output.chef_subnets)}",
      "ChefSecurityGroups=${join(",", output.chef_security_groups)}",
      "ChefKeyAlias=alias/labswarm-chef-admin",
    ])
    error_message = "The words for sam deploy are not the outputs'."
  }
  assert {
    condition     = length(output.chef_subnets) == 2 && one(output.chef_security_groups) == output.security_groups.chef_functions
    error_message = "The functions are not in each zone, or not in their group."
  }
}

run "a_region_that_is_none" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}

run "zones_of_another_region" {
  command = plan
  variables {
    region = "us-east-1"
  }
  expect_failures = [var.region]
}

run "an_account_by_its_name" {
  command = plan
  variables {
    account_id = "department"
  }
  expect_failures = [var.account_id]
}

run "lets_encrypt_without_the_internet" {
  command = plan
  variables {
    egress = "endpoints"
    domain = { name = "chef.department.example.org", zone_id = "Z0123456789ABC" }
  }
  expect_failures = [var.domain]
}
