# A cluster's homes: the only thing of it that must not be lost.

locals {
  # What hub/labswarm_hub/homes.py gives every home: jovyan and users of Jupyter's own images.
  uid = 1000
  gid = 100
}

resource "aws_efs_file_system" "homes" {
  #checkov:skip=CKV_AWS_184:A key of our own would be $1 a month for each cluster, and its loss the loss of every home; AWS's key encrypts as well.
  creation_token  = "labswarm-${var.name}-homes"
  encrypted       = true
  throughput_mode = var.throughput_mode
  tags            = merge(var.tags, { Name = "labswarm-${var.name}-homes" })

  lifecycle_policy {
    transition_to_ia = var.days_to_infrequent_access == 1 ? "AFTER_1_DAY" : "AFTER_${var.days_to_infrequent_access}_DAYS"
  }

  # A term's work is read again at its exam: what is opened once is worth its fast place again.
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

  # Whoever mounts it is this user to EFS, root of a node included: no node needs ClientRootAccess, and every home is owned as the hub expects.
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

# Without a policy EFS lets every machine that reaches a mount target be root. Only condition keys that EFS enforces for NFS clients are
# used here: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
resource "aws_efs_file_system_policy" "homes" {
  file_system_id = aws_efs_file_system.homes.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
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
        # Also for those whom a policy of their own would let in, such as the account's administrators.
        Sid       = "NobodyPastTheAccessPoint"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = aws_efs_file_system.homes.arn
        Condition = { StringNotEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.homes.arn } }
      },
      {
        Sid       = "NobodyWithoutTLS"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.homes.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
