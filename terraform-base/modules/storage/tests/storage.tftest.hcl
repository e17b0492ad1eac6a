mock_provider "aws" {}

variables {
  name              = "algebra"
  subnet_ids        = ["subnet-0a000000000000001", "subnet-0a000000000000002"]
  security_group_id = "sg-0a000000000000001"
  client_role_arns = {
    hub     = "arn:aws:iam::123456789012:role/labswarm-algebra-hub"
    workers = "arn:aws:iam::123456789012:role/labswarm-algebra-workers"
  }
}

run "homes_are_encrypted_backed_up_and_moved_to_infrequent_access" {
  assert {
    condition     = aws_efs_file_system.homes.encrypted
    error_message = "The homes are not encrypted."
  }
  assert {
    condition     = aws_efs_backup_policy.homes.backup_policy[0].status == "ENABLED"
    error_message = "The homes have no backup."
  }
  assert {
    condition     = aws_efs_file_system.homes.lifecycle_policy[0].transition_to_ia == "AFTER_30_DAYS"
    error_message = "Unread files stay where storage is dear."
  }
}

run "one_mount_target_in_each_subnet" {
  assert {
    condition     = tolist(aws_efs_mount_target.homes[*].subnet_id) == var.subnet_ids
    error_message = "The mount targets are not those of the subnets."
  }
}

run "the_policy_lets_in_only_the_roles_through_the_access_point_with_tls" {
  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_efs_file_system_policy.homes.policy).Statement : statement if statement.Effect == "Allow"
      ]) == jsonencode([{
        Sid       = "HubAndWorkersThroughTheAccessPoint"
        Effect    = "Allow"
        Principal = { AWS = values(var.client_role_arns) }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = {
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.homes.arn }
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
        }
    }])
    error_message = "Somebody gets in past the access point, or as root."
  }
  assert {
    condition = toset([
      for statement in jsondecode(aws_efs_file_system_policy.homes.policy).Statement : statement.Sid if statement.Effect == "Deny"
    ]) == toset(["NobodyPastTheAccessPoint", "NobodyWithoutTLS"])
    error_message = "A refusal is missing."
  }
}

run "everybody_is_the_owner_of_the_homes" {
  assert {
    condition     = aws_efs_access_point.homes.posix_user[0].uid == 1000 && aws_efs_access_point.homes.posix_user[0].gid == 100
    error_message = "The access point's user is not the one of hub/labswarm_hub/homes.py."
  }
}

run "one_day_is_spelled_as_efs_spells_it" {
  variables {
    days_to_infrequent_access = 1
  }
  assert {
    condition     = aws_efs_file_system.homes.lifecycle_policy[0].transition_to_ia == "AFTER_1_DAY"
    error_message = "EFS calls one day AFTER_1_DAY."
  }
}

run "a_name_that_no_cluster_can_have" {
  command = plan
  variables {
    name = "Algebra_1"
  }
  expect_failures = [var.name]
}

run "no_subnet" {
  command = plan
  variables {
    subnet_ids = []
  }
  expect_failures = [var.subnet_ids]
}

run "a_subnet_twice" {
  command = plan
  variables {
    subnet_ids = ["subnet-0a000000000000001", "subnet-0a000000000000001"]
  }
  expect_failures = [var.subnet_ids]
}

run "days_that_efs_does_not_know" {
  command = plan
  variables {
    days_to_infrequent_access = 10
  }
  expect_failures = [var.days_to_infrequent_access]
}

run "a_throughput_that_efs_does_not_know" {
  command = plan
  variables {
    throughput_mode = "fast"
  }
  expect_failures = [var.throughput_mode]
}

run "whole_file_system_is_closed_while_nothing_is_restored" {
  assert {
    condition     = length(aws_efs_access_point.restore) == 0 && length(aws_ssm_document.restore) == 0 && output.restore_document == null
    error_message = "There is a way past the homes' access point."
  }
}

run "hub_alone_reaches_the_restored_folder_while_homes_are_restored" {
  variables {
    restore = true
  }
  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_efs_file_system_policy.homes.policy).Statement : statement if statement.Sid == "HubAsRootWhileHomesAreRestored"
      ]) == jsonencode([{
        Sid       = "HubAsRootWhileHomesAreRestored"
        Effect    = "Allow"
        Principal = { AWS = var.client_role_arns.hub }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = {
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.restore[0].arn }
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
        }
    }])
    error_message = "Another than the hub is root on the homes."
  }
  assert {
    condition     = output.restore_document == "labswarm-algebra-restore-homes"
    error_message = "There is no document to run on the hub."
  }
}
