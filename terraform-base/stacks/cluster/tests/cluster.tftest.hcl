# The module's refusals are tested there; here, that the stack passes on its values.

mock_provider "aws" {
  mock_data "aws_ami" {
    defaults = { root_device_name = "/dev/xvda", architecture = "x86_64" }
  }
  mock_data "aws_ami_ids" {
    defaults = { ids = ["ami-0123456789abcdef0"] }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-west-1a" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 16384, default_vcpus = 4, supported_architectures = ["x86_64"] }
  }
}

variables {
  region            = "eu-west-1"
  name              = "physics"
  vpc_id            = "vpc-0123456789abcdef0"
  subnet_ids        = ["subnet-0123456789abcdef0"]
  public_subnet_ids = ["subnet-0123456789abcdef2"]
  security_groups   = { nodes = "sg-0123456789abcdef0" }
  chef              = { url = "https://10.64.0.20" }
  hub_ami           = "ami-0123456789abcdef0"
  worker_ami        = "ami-0123456789abcdef0"
  images            = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
}

run "settings_are_those_given" {
  command = plan

  variables {
    seat         = { memory_mib = 2048, cpu = 0.5 }
    headroom     = 5
    min_nodes    = 1
    max_nodes    = 30
    extra_groups = { gpu = { instance_types = ["g5.xlarge"], seat = { memory_mib = 12288, cpu = 3 } } }
  }
  assert {
    condition = (
      output.settings["physics"].seat == { memory_bytes = 2147483648, nano_cpus = 500000000 }
      && output.settings["physics"].headroom == 5
      && output.settings["physics"].min_nodes == 1
      && output.settings["physics"].max_nodes == 30
    )
    error_message = "The description has the stack's values."
  }
  assert {
    condition     = keys(output.settings) == ["physics", "physics-gpu"]
    error_message = "A further group is a cluster of its own."
  }
}

run "region_that_is_none_is_refused" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}
