mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 32768, default_vcpus = 8 }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
  }
}

override_resource {
  target          = aws_acm_certificate.hub
  override_during = plan
  values          = { domain_validation_options = [] }
}

variables {
  name = "db"
}

run "a_good_name" {
  command = plan
  assert {
    condition     = aws_iam_role.worker.name == "labswarm-db"
    error_message = "the role is not called by the cluster"
  }
}

run "a_bad_name_is_refused" {
  command = plan
  variables {
    name = "Data Bases"
  }
  expect_failures = [var.name]
}

run "an_instance_too_small_is_refused" {
  command = plan
  override_data {
    target = data.aws_ec2_instance_type.worker
    values = { memory_size = 4096 }
  }
  expect_failures = [aws_launch_template.worker]
}
