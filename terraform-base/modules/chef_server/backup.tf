# Each night the whole server, as `chef-server-ctl backup` writes it and the authority of its own, goes to a bucket. The server can
# remove nothing from it. The README says how to restore it.

locals {
  metrics = "Labswarm"
}

resource "aws_s3_bucket" "backups" {
  #checkov:skip=CKV_AWS_18:One instance and its operators use this bucket; an access log would be a second bucket to look after. CloudTrail has who read what.
  #checkov:skip=CKV_AWS_144:One region's clusters depend on this server; with the region gone there is nothing to restore it for.
  #checkov:skip=CKV2_AWS_62:The alarm on missing backups reports all that is worth knowing.
  bucket        = "${local.name}-backups-${local.account}-${local.region}"
  force_destroy = var.delete_backups_on_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "backups" {
  bucket                  = aws_s3_bucket.backups.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "backups" {
  bucket = aws_s3_bucket.backups.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    expiration {
      days = var.backup_days
    }

    # Overwritten or deleted data can be restored for as long again.
    noncurrent_version_expiration {
      noncurrent_days = var.backup_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # Rules on versions are refused while there are none.
  depends_on = [aws_s3_bucket_versioning.backups]
}

resource "aws_s3_bucket_policy" "backups" {
  bucket = aws_s3_bucket.backups.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NobodyWithoutTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.backups.arn, "${aws_s3_bucket.backups.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.backups]
}

resource "aws_ssm_document" "backup" {
  name            = "${local.name}-backup"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Back up the Chef Server to its bucket"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "backup"
      inputs = {
        timeoutSeconds = "3600"
        runCommand     = concat(local.start, split("\n", file("${path.module}/backup.sh")))
      }
    }]
  })
}

resource "aws_ssm_document" "restore" {
  name            = "${local.name}-restore"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Replace all data of the Chef Server by a backup from its bucket"
    parameters = {
      Backup = {
        type              = "String"
        description       = "The backup's name in the bucket, or newest"
        default           = "newest"
        allowedPattern    = "^(newest|[0-9]{8}T[0-9]{6}Z\\.tar)$"
        interpolationType = "ENV_VAR"
      }
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "restore"
      inputs = {
        timeoutSeconds = "7200"
        runCommand     = split("\n", file("${path.module}/restore.sh"))
      }
    }]
  })
}

# Once when it is made, which shows that it works, and then each night.
resource "aws_ssm_association" "backup" {
  association_name                 = "${local.name}-backup"
  name                             = aws_ssm_document.backup.name
  schedule_expression              = "cron(0 ${var.backup_hour_utc} * * ? *)"
  wait_for_success_timeout_seconds = 1800

  targets {
    key    = "InstanceIds"
    values = [aws_instance.server.id]
  }

  depends_on = [
    aws_ssm_association.ready,
    aws_s3_bucket_policy.backups,
    aws_s3_bucket_server_side_encryption_configuration.backups,
    aws_s3_bucket_versioning.backups,
  ]
}

# A failed backup sends no signal; the alarm looks for a missing one.
resource "aws_cloudwatch_metric_alarm" "no_backup" {
  alarm_name          = "${local.name}-no-backup"
  alarm_description   = "The Chef Server has not been backed up for two days. Classes go on. See the runs of the association ${local.name}-backup in State Manager"
  namespace           = local.metrics
  metric_name         = "ChefBackups"
  statistic           = "Sum"
  period              = 86400
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags

  # Created after the first backup, or it would be on at once.
  depends_on = [aws_ssm_association.backup]
}
