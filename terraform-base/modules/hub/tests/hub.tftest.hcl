mock_provider "aws" {
  mock_data "aws_ami" {
    defaults = { root_device_name = "/dev/xvda", architecture = "x86_64" }
  }
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
    defaults = { memory_size = 8192, default_vcpus = 2, supported_architectures = ["x86_64"] }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-west-1a" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0" }
  }
  mock_resource "aws_network_interface" {
    defaults = { private_ip = "10.64.0.10" }
  }
}

variables {
  cluster            = "physics"
  groups             = ["physics", "physics-gpu"]
  subnet_id          = "subnet-0123456789abcdef0"
  security_group_ids = ["sg-0123456789abcdef0"]
  ami                = "ami-0123456789abcdef0"
  instance_type      = "t3.large"
  root_volume_gib    = 30
  data_volume_gib    = 10
  snapshots_kept     = 7
  last_snapshot      = true
  images             = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
  chef               = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = null }
  efs                = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
}

run "metadata_is_within_one_hop_and_disks_are_encrypted" {
  command = plan

  assert {
    condition = (
      aws_instance.hub.metadata_options[0].http_tokens == "required"
      && aws_instance.hub.metadata_options[0].http_put_response_hop_limit == 1
      && aws_instance.hub.root_block_device[0].encrypted && aws_ebs_volume.data.encrypted
    )
    error_message = "The hub's container must not get the instance's credentials."
  }
  assert {
    condition     = aws_instance.hub.tags["labswarm:cluster"] == "physics" && aws_instance.hub.tags["labswarm:role"] == "hub" && aws_instance.hub.tags["Name"] == "labswarm-physics-hub"
    error_message = "The app may command instances of these tags only."
  }
  assert {
    condition     = contains(aws_cloudwatch_metric_alarm.recover.alarm_actions, "arn:aws:automate:eu-west-1:ec2:recover")
    error_message = "EC2 recovers the hub."
  }
}

run "ground_tells_what_terraform_knows_and_no_secret" {
  command = apply

  assert {
    condition = jsondecode(split("\n", aws_instance.hub.user_data)[4]) == {
      cluster     = "physics"
      role        = "hub"
      region      = "eu-west-1"
      join_secret = "labswarm/physics/swarm-join"
      images      = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
      chef        = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = null }
      efs         = { file_system_id = "fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0" }
      hub_address = "10.64.0.10"
      hub         = { domain = null, acme_email = null, certificate_secret = null, data_volume = "vol-0123456789abcdef0" }
    }
    error_message = "The cookbooks read these fields of /etc/labswarm/ground.json."
  }
  assert {
    condition     = split("\n", aws_instance.hub.user_data)[0] == "#cloud-boothook" && split("\n", aws_instance.hub.user_data)[3] == "cat >/etc/labswarm/ground.json <<'GROUND'"
    error_message = "It is written at each boot, and the shell looks at none of it."
  }
}

run "record_is_made_in_a_zone_only" {
  command = plan

  variables {
    domain = { name = "physics.hub.example.edu", acme_email = "it@example.edu" }
  }
  assert {
    condition     = length(aws_route53_record.hub) == 0 && output.url == "https://physics.hub.example.edu"
    error_message = "Without a zone the operator makes the record."
  }
}

run "record_is_made_in_its_zone" {
  command = plan

  variables {
    domain = { name = "physics.hub.example.edu", zone_id = "Z0123456789ABCDEFGHIJ", acme_email = "it@example.edu" }
  }
  assert {
    condition     = aws_route53_record.hub[0].name == "physics.hub.example.edu"
    error_message = "The hub's name is in the zone."
  }
}

run "cluster_with_a_capital_is_refused" {
  command = plan
  variables {
    cluster = "Physics"
  }
  expect_failures = [var.cluster]
}

run "no_group_is_refused" {
  command = plan
  variables {
    groups = []
  }
  expect_failures = [var.groups]
}

run "type_with_too_little_memory_is_refused" {
  command = plan
  override_data {
    target = data.aws_ec2_instance_type.hub
    values = { memory_size = 1024, default_vcpus = 2, supported_architectures = ["x86_64"] }
  }
  expect_failures = [aws_instance.hub]
}

run "type_with_too_little_cpu_is_refused" {
  command = plan
  override_data {
    target = data.aws_ec2_instance_type.hub
    values = { memory_size = 4096, default_vcpus = 1, supported_architectures = ["x86_64"] }
  }
  expect_failures = [aws_instance.hub]
}

run "address_that_is_none_is_refused" {
  command = plan
  variables {
    private_address = "10.0.0.256"
  }
  expect_failures = [var.private_address]
}

run "root_volume_too_small_is_refused" {
  command = plan
  variables {
    root_volume_gib = 8
  }
  expect_failures = [var.root_volume_gib]
}

run "root_volume_smaller_than_its_image_is_refused" {
  command = plan
  override_data {
    target = module.image.data.aws_ami.image
    values = {
      architecture          = "x86_64"
      root_device_name      = "/dev/sda1"
      block_device_mappings = [{ device_name = "/dev/sda1", ebs = { volume_size = "50" }, no_device = "", virtual_name = "" }]
    }
  }
  expect_failures = [aws_instance.hub]
}

run "data_volume_of_nothing_is_refused" {
  command = plan
  variables {
    data_volume_gib = 0
  }
  expect_failures = [var.data_volume_gib]
}

run "snapshot_that_is_none_is_refused" {
  command = plan
  variables {
    data_snapshot_id = "vol-0123456789abcdef0"
  }
  expect_failures = [var.data_snapshot_id]
}

run "no_snapshot_is_refused" {
  command = plan
  variables {
    snapshots_kept = 0
  }
  expect_failures = [var.snapshots_kept]
}

run "url_for_a_domain_is_refused" {
  command = plan
  variables {
    domain = { name = "https://hub.example.edu", acme_email = "it@example.edu" }
  }
  expect_failures = [var.domain]
}

run "domain_without_a_certificate_is_refused" {
  command = plan
  variables {
    domain = { name = "hub.example.edu" }
  }
  expect_failures = [var.domain]
}

run "domain_with_two_certificates_is_refused" {
  command = plan
  variables {
    domain = {
      name                   = "hub.example.edu"
      acme_email             = "it@example.edu"
      certificate_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:certificate-AbCdEf"
    }
  }
  expect_failures = [var.domain]
}

run "who_may_log_in_reaches_the_cookbook" {
  command = plan
  variables {
    login = { authenticator = "github", admins = ["ada"], python_packages = ["oauthenticator==17.4.0"] }
  }
  assert {
    condition     = strcontains(aws_instance.hub.user_data, "{\"labswarm_hub\":{\"admins\":[\"ada\"],\"authenticator\":\"github\"")
    error_message = "The cookbook reads it from /etc/labswarm/attributes.json."
  }
}

run "an_authenticator_that_lets_everyone_in_is_refused" {
  command = plan
  variables {
    login = { authenticator = "dummy" }
  }
  expect_failures = [var.login]
}

run "a_configuration_file_elsewhere_is_refused" {
  command = plan
  variables {
    login = { authenticator = "github", conf = { "../jupyterhub.py" = "" } }
  }
  expect_failures = [var.login]
}

run "cluster_with_a_hyphen_at_its_end_is_refused" {
  command = plan
  variables {
    cluster = "physics-"
  }
  expect_failures = [var.cluster]
}

run "no_class_image_is_refused" {
  command = plan
  variables {
    images = []
  }
  expect_failures = [var.images]
}

run "type_of_another_architecture_than_the_image_is_refused" {
  command = plan
  override_data {
    target = data.aws_ec2_instance_type.hub
    values = { memory_size = 8192, default_vcpus = 2, supported_architectures = ["arm64"] }
  }
  expect_failures = [aws_instance.hub]
}

run "deregistered_image_does_not_end_the_plan" {
  command = plan
  override_module {
    target  = module.image
    outputs = { architecture = null, root_device_name = "/dev/sda1", root_volume_gib = 0 }
  }
  assert {
    condition     = aws_instance.hub.ami == "ami-0123456789abcdef0"
    error_message = "A hub that runs is not planned because its image is gone."
  }
}

run "login_too_long_for_the_user_data_is_refused" {
  command = plan
  variables {
    login = { authenticator = "github", conf = { "login.py" = join("", [for line in range(400) : "c.GitHubOAuthenticator.scope = []\n"]) } }
  }
  expect_failures = [var.login]
}

run "user_data_over_16_kib_is_refused" {
  command = plan
  variables {
    login = { authenticator = "github", conf = { "login.py" = join("", [for line in range(300) : "c.GitHubOAuthenticator.scope = []\n"]) } }
    chef  = { url = "https://10.64.0.20", organization = "labswarm", ca_pem = join("", [for line in range(100) : "MIIFazCCA1OgAwIBAgIRAIIQz7DSQONZRGPgu2OCiwAwDQYJKoZIhvcNAQELBQAw\n"]) }
  }
  expect_failures = [aws_instance.hub]
}

run "no_document_is_laid_unless_one_is_given" {
  command = plan
  assert {
    condition     = length(aws_dynamodb_table_item.document) == 0
    error_message = "Admins of a hub that has a document write its next version."
  }
}

run "the_first_version_of_the_document_is_laid" {
  command = plan
  variables {
    document = "cull:\n  timeout: 7200\n"
  }
  assert {
    condition = jsondecode(aws_dynamodb_table_item.document[0].item) == {
      cluster = { S = "physics" }
      version = { N = "1" }
      text    = { S = "cull:\n  timeout: 7200\n" }
      by      = { S = "Terraform" }
      at      = { N = "0" }
      note    = { S = "the first version" }
    }
    error_message = "The hub's host and the command read it as any other version."
  }
}

run "document_that_is_no_mapping_is_refused" {
  command = plan
  variables {
    document = "- cull"
  }
  expect_failures = [var.document]
}

run "document_that_is_too_long_is_refused" {
  command = plan
  variables {
    document = join("", concat([for number in range(1000) : "# A line that makes the document longer than 64 KiB, as a thousand of these do.\n"], ["cull: {}\n"]))
  }
  expect_failures = [var.document]
}
