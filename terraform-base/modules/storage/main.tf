# A cluster's homes: the only part of it that must not be lost.

locals {
  # The owner that hub/labswarm_hub/homes.py gives every home: jovyan and users of Jupyter's own images.
  uid = 1000
  gid = 100

  access_points = concat([aws_efs_access_point.homes.arn], aws_efs_access_point.restore[*].arn)
}

resource "aws_efs_file_system" "homes" {
  #checkov:skip=CKV_AWS_184:A key of our own would be $1 per month for each cluster, and its loss the loss of every home; AWS's key encrypts as well.
  creation_token  = "labswarm-${var.name}-homes"
  encrypted       = true
  throughput_mode = var.throughput_mode
  tags            = merge(var.tags, { Name = "labswarm-${var.name}-homes" })

  lifecycle_policy {
    transition_to_ia = var.days_to_infrequent_access == 1 ? "AFTER_1_DAY" : "AFTER_${var.days_to_infrequent_access}_DAYS"
  }

  # A term's work is read again at its exam: a file that is opened once moves back to fast storage.
  lifecycle_policy {
    transition_to_primary_storage_class = "AFTER_1_ACCESS"
  }
}

resource "aws_efs_backup_policy" "homes" {
  file_system_id = aws_efs_file_system.homes.id

  backup_policy {
    status = var.backups ? "ENABLED" : "DISABLED"
  }
}

resource "aws_efs_mount_target" "homes" {
  count           = length(var.subnet_ids)
  file_system_id  = aws_efs_file_system.homes.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [var.security_group_id]
}

resource "aws_efs_access_point" "homes" {
  file_system_id = aws_efs_file_system.homes.id
  tags           = merge(var.tags, { Name = "labswarm-${var.name}-homes" })

  # To EFS, everyone who mounts it is this user, root of a node included: no node needs ClientRootAccess, and every home has the owner that
  # the hub expects.
  posix_user {
    uid = local.uid
    gid = local.gid
  }

  root_directory {
    path = "/homes"

    creation_info {
      owner_uid   = local.uid
      owner_gid   = local.gid
      permissions = "0700"
    }
  }
}

# AWS Backup restores into a folder next to /homes, which the other access point does not show:
# https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html
resource "aws_efs_access_point" "restore" {
  #checkov:skip=CKV_AWS_329:A restored folder is next to /homes, so that a restore needs the root; it exists only while restore is true
  count          = var.restore ? 1 : 0
  file_system_id = aws_efs_file_system.homes.id
  tags           = merge(var.tags, { Name = "labswarm-${var.name}-restore" })

  posix_user {
    uid = 0
    gid = 0
  }

  root_directory {
    path = "/"
  }
}

# Run on the hub, while `restore` is true: README.md shows how.
resource "aws_ssm_document" "restore" {
  count           = var.restore ? 1 : 0
  name            = "labswarm-${var.name}-restore-homes"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Give homes of ${var.name} back from the newest folder that AWS Backup has restored"
    parameters = {
      Homes = {
        type              = "String"
        description       = "Names of homes, separated by spaces, or all"
        allowedPattern    = "^[A-Za-z0-9][A-Za-z0-9._-]*( [A-Za-z0-9][A-Za-z0-9._-]*)*$"
        interpolationType = "ENV_VAR"
      }
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "restore"
      inputs = {
        timeoutSeconds = "7200"
        runCommand = concat(
          [
            "HOMES=$SSM_Homes",
            "FILE_SYSTEM=${aws_efs_file_system.homes.id}",
            "ACCESS_POINT=${aws_efs_access_point.restore[0].id}",
          ],
          split("\n", file("${path.module}/restore-homes.sh")),
        )
      }
    }]
  })
}

# Without a policy EFS lets every machine that reaches a mount target be root. Only condition keys that EFS enforces for NFS clients are
# used here: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
resource "aws_efs_file_system_policy" "homes" {
  file_system_id = aws_efs_file_system.homes.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "HubAndWorkersThroughTheAccessPoint"
        Effect    = "Allow"
        Principal = { AWS = values(var.client_role_arns) }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = {
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.homes.arn }
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
        }
      },
      {
        # Also for principals that a policy of their own gives access, such as the account's administrators.
        Sid       = "NobodyPastTheAccessPoint"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = { StringNotEquals = { "elasticfilesystem:AccessPointArn" = local.access_points } }
      },
      {
        Sid       = "NobodyWithoutTLS"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.homes.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      ], [for access_point in aws_efs_access_point.restore : {
        Sid       = "HubAsRootWhileHomesAreRestored"
        Effect    = "Allow"
        Principal = { AWS = var.client_role_arns.hub }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = {
          StringEquals = { "elasticfilesystem:AccessPointArn" = access_point.arn }
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
        }
    }])
  })
}
