# The first apply of a server that has not set itself up.

mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "not yet: the Chef Server writes it at its first start" }
  }
}

variables {
  vpc_id          = "vpc-0a000000000000001"
  subnet_id       = "subnet-0a000000000000001"
  zone            = "eu-west-1a"
  security_groups = { chef_server = "sg-0a000000000000001", endpoints = "sg-0a000000000000002" }
  ami             = "ami-0a000000000000001"
}

run "an_authority_that_was_not_published" {
  command         = apply
  expect_failures = [data.aws_ssm_parameter.ca[0]]
}
