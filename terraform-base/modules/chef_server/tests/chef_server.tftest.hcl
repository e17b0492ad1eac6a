mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "-----BEGIN CERTIFICATE-----\n" }
  }
}

variables {
  vpc_id          = "vpc-0a000000000000001"
  subnet_id       = "subnet-0a000000000000001"
  zone            = "eu-west-1a"
  security_groups = { chef_server = "sg-0a000000000000001", endpoints = "sg-0a000000000000002" }
  ami             = "ami-0a000000000000001"
}

run "the_instance_gives_its_credentials_to_itself_only" {
  assert {
    condition     = aws_instance.server.metadata_options[0].http_tokens == "required" && aws_instance.server.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "The metadata service answers without a token, or further than the instance."
  }
  assert {
    condition     = aws_instance.server.root_block_device[0].encrypted && aws_ebs_volume.data.encrypted
    error_message = "A volume is not encrypted."
  }
}

run "a_new_image_keeps_address_and_data" {
  assert {
    condition     = aws_instance.server.primary_network_interface[0].network_interface_id == aws_network_interface.server.id && aws_volume_attachment.data.volume_id == aws_ebs_volume.data.id
    error_message = "Address or data are the instance's own and go with it."
  }
  assert {
    condition     = aws_ebs_volume.data.final_snapshot
    error_message = "Destroying the volume leaves no snapshot."
  }
}

run "a_broken_host_is_left" {
  assert {
    condition     = contains(aws_cloudwatch_metric_alarm.recover.alarm_actions, "arn:aws:automate:eu-west-1:ec2:recover") && aws_cloudwatch_metric_alarm.recover.metric_name == "StatusCheckFailed_System"
    error_message = "EC2 does not recover the instance."
  }
}

run "only_the_chef_function_signs" {
  assert {
    condition     = aws_kms_key.admin.customer_master_key_spec == "RSA_2048" && aws_kms_key.admin.key_usage == "SIGN_VERIFY" && aws_kms_alias.admin.name == "alias/labswarm-chef-admin"
    error_message = "This is not the key with which the app signs."
  }
  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_kms_key.admin.policy).Statement : [statement.Sid, statement.Condition] if contains(flatten([statement.Action]), "kms:Sign")
      ]) == jsonencode([["ChefFunctionsSign", {
        ArnLike      = { "aws:PrincipalArn" = ["arn:aws:iam::123456789012:role/labswarm-ChefFunctionRole-*"] }
        StringEquals = { "kms:SigningAlgorithm" = "RSASSA_PKCS1_V1_5_SHA_256" }
    }]])
    error_message = "Another principal than the Chef function may sign."
  }
  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_kms_key.admin.policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]
    ]))
    error_message = "A pattern of actions allows actions that nobody listed."
  }
}

run "backups_are_versioned_encrypted_and_closed" {
  assert {
    condition     = aws_s3_bucket_versioning.backups.versioning_configuration[0].status == "Enabled"
    error_message = "A backup that is overwritten is lost."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.backups.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "Backups are not encrypted with KMS."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.backups.block_public_acls, aws_s3_bucket_public_access_block.backups.block_public_policy,
      aws_s3_bucket_public_access_block.backups.ignore_public_acls, aws_s3_bucket_public_access_block.backups.restrict_public_buckets,
    ])
    error_message = "The bucket could be made public."
  }
  assert {
    condition     = aws_ssm_association.backup.schedule_expression == "cron(0 2 * * ? *)" && !aws_s3_bucket.backups.force_destroy
    error_message = "Backups are not made each night, or go with a destroy that nobody asked to do so."
  }
}

run "the_server_cannot_delete_backups" {
  assert {
    condition     = !anytrue([for action in flatten(local.server_statements[*].Action) : can(regex("\\*|^s3:Delete", action))])
    error_message = "A server that was broken into could delete its backups."
  }
}

run "its_own_authority" {
  assert {
    condition     = output.chef.url == "https://chef.labswarm.internal" && startswith(output.chef.ca_pem, "-----BEGIN CERTIFICATE-----")
    error_message = "The server's name alone does not say which authority to trust."
  }
  assert {
    condition     = length([for statement in local.server_statements : statement if statement.Sid == "PublishTheAuthoritysCertificate"]) == 1
    error_message = "The server may not publish its authority's certificate."
  }
}

run "a_new_image_changes_no_value_that_hubs_get" {
  command = plan
  variables {
    ami = "ami-0a000000000000009"
  }
  assert {
    condition     = output.chef == run.its_own_authority.chef
    error_message = "A new image of the server would replace every hub."
  }
}

run "a_domain_of_ones_own" {
  variables {
    domain = { name = "chef.department.example.org", zone_id = "Z0123456789ABC" }
  }
  assert {
    condition     = output.chef.url == "https://chef.department.example.org" && output.chef.ca_pem == null
    error_message = "With a public certificate the system's authorities are trusted."
  }
  assert {
    condition     = length(aws_route53_zone.own) == 0 && aws_route53_record.server.zone_id == "Z0123456789ABC"
    error_message = "The name is not in the zone that was given."
  }
  assert {
    condition = [
      for statement in local.server_statements : statement.Condition["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
      if statement.Sid == "AnswerTheChallengeOfLetsEncrypt"
    ][0][0] == "_acme-challenge.chef.department.example.org"
    error_message = "The server may change more of the zone than its challenge."
  }
}

run "without_a_workstation_there_is_none" {
  assert {
    condition     = length(aws_instance.workstation) == 0 && length(aws_security_group.workstation) == 0 && output.workstation_instance_id == null
    error_message = "A workstation was made unasked."
  }
}

run "a_workstation_that_nothing_can_connect_to" {
  variables {
    workstation = { ami = "ami-0a000000000000002" }
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.workstation : rule.security_group_id != aws_security_group.workstation["this"].id])
    error_message = "Something may connect to the workstation."
  }
  assert {
    condition     = !aws_instance.workstation["this"].associate_public_ip_address && aws_instance.workstation["this"].metadata_options[0].http_tokens == "required"
    error_message = "The workstation is public, or its metadata answers without a token."
  }
}

run "a_zone_that_is_none" {
  command = plan
  variables {
    zone = "eu-west-1"
  }
  expect_failures = [var.zone]
}

run "an_image_that_is_none" {
  command = plan
  variables {
    ami = "chef-server"
  }
  expect_failures = [var.ami]
}

run "an_instance_type_that_is_none" {
  command = plan
  variables {
    instance_type = "large"
  }
  expect_failures = [var.instance_type]
}

run "an_instance_type_of_another_architecture" {
  command = plan
  variables {
    instance_type = "t4g.large"
  }
  expect_failures = [var.instance_type]
}

run "an_instance_type_too_small" {
  command = plan
  variables {
    instance_type = "t3.medium"
  }
  expect_failures = [var.instance_type]
}

run "an_instance_with_a_gpu_is_no_arm64_one" {
  command = plan
  variables {
    instance_type = "g5.xlarge"
  }
}

run "an_organization_that_chef_refuses" {
  command = plan
  variables {
    organization = "Our Department"
  }
  expect_failures = [var.organization]
}

run "a_domain_that_is_none" {
  command = plan
  variables {
    domain = { name = "https://chef.example.org", zone_id = "Z0123456789ABC" }
  }
  expect_failures = [var.domain]
}

run "a_zone_by_its_name" {
  command = plan
  variables {
    domain = { name = "chef.example.org", zone_id = "example.org" }
  }
  expect_failures = [var.domain]
}

run "an_address_that_is_none" {
  command = plan
  variables {
    private_ip = "10.64.0"
  }
  expect_failures = [var.private_ip]
}

run "a_data_volume_too_small" {
  command = plan
  variables {
    data_volume_gib = 5
  }
  expect_failures = [var.data_volume_gib]
}

run "an_hour_that_no_day_has" {
  command = plan
  variables {
    backup_hour_utc = 24
  }
  expect_failures = [var.backup_hour_utc]
}

run "backups_kept_for_too_short" {
  command = plan
  variables {
    backup_days = 1
  }
  expect_failures = [var.backup_days]
}

run "a_workstations_image_that_is_none" {
  command = plan
  variables {
    workstation = { ami = "workstation" }
  }
  expect_failures = [var.workstation]
}

run "a_workstations_type_that_is_none" {
  command = plan
  variables {
    workstation = { ami = "ami-0a000000000000002", instance_type = "small" }
  }
  expect_failures = [var.workstation]
}

run "an_app_with_a_name_that_is_shortened" {
  command = plan
  variables {
    app_stack_name = "the-autoscaling-hub-of-our-department"
  }
  expect_failures = [var.app_stack_name]
}

run "a_topic_by_its_name" {
  command = plan
  variables {
    alarm_topic_arns = ["operators"]
  }
  expect_failures = [var.alarm_topic_arns]
}

run "more_topics_than_an_alarm_takes_are_refused" {
  command = plan
  variables {
    alarm_topic_arns = [for number in range(5) : "arn:aws:sns:eu-west-1:123456789012:topic-${number}"]
  }
  expect_failures = [var.alarm_topic_arns]
}
