mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 32768, default_vcpus = 4, supported_architectures = ["x86_64"] }
  }
  mock_data "aws_ami_ids" {
    defaults = { ids = ["ami-0123456789abcdef1"] }
  }
  mock_data "aws_ami" {
    defaults = { root_device_name = "/dev/sda1", architecture = "x86_64" }
  }
}

variables {
  images = {
    chef_server = "ami-0123456789abcdef0"
    hub         = "ami-0123456789abcdef1"
    worker      = "ami-0123456789abcdef1"
  }
  domain = {
    name       = "hub.example.edu"
    zone_id    = "Z0123456789ABCDEFGHIJ"
    acme_email = "it@example.edu"
  }
  login = { authenticator = "github" }
}

run "ten_lectures_have_ten_of_everything" {
  command = plan

  assert {
    condition     = length(output.settings) == 10 && length(distinct([for its in output.settings : its.asg])) == 10
    error_message = "Each lecture is a cluster with a group of its own."
  }
  assert {
    condition     = alltrue([for name, its in output.settings : its.name == name && its.asg == "labswarm-${name}-workers"])
    error_message = "Names are the lectures'."
  }
  assert {
    condition     = length(distinct(values(output.hub_urls))) == 10
    error_message = "Each hub has its name."
  }
}

run "a_lecture_more_changes_no_other" {
  command = plan

  variables {
    lectures = { mechanics = {}, optics = { max_nodes = 3 } }
  }
  assert {
    condition     = keys(output.settings) == ["mechanics", "optics"] && output.settings["optics"].max_nodes == 3 && output.settings["mechanics"].max_nodes == 10
    error_message = "A lecture's own values are its own."
  }
}
