mock_provider "aws" {
  mock_data "aws_ami_ids" {
    defaults = { ids = ["ami-0123456789abcdef0"] }
  }
  mock_data "aws_ami" {
    defaults = {
      architecture          = "arm64"
      root_device_name      = "/dev/xvda"
      block_device_mappings = [{ device_name = "/dev/xvda", ebs = { volume_size = "20" }, no_device = "", virtual_name = "" }]
    }
  }
}

variables {
  ami      = "ami-0123456789abcdef0"
  argument = "hub_ami"
  owners   = ["self", "123456789012"]
}

run "facts_are_those_of_the_image" {
  command = plan

  assert {
    condition     = output.architecture == "arm64" && output.root_device_name == "/dev/xvda" && output.root_volume_gib == 20
    error_message = "The outputs are not the image's."
  }
}

run "deregistered_image_is_a_warning" {
  command = plan

  override_data {
    target = data.aws_ami_ids.image
    values = { ids = [] }
  }
  assert {
    condition     = output.architecture == null && output.root_device_name == "/dev/sda1" && output.root_volume_gib == 0
    error_message = "Without the image there are no facts, and still there is a plan."
  }
  expect_failures = [check.image]
}

run "image_that_is_none_is_refused" {
  command = plan
  variables {
    ami = "debian-12"
  }
  expect_failures = [var.ami]
}
