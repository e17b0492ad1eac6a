# The Swarm's state (/var/lib/docker/swarm) and the hub's database outlive the instance.

resource "aws_ebs_volume" "data" {
  #checkov:skip=CKV_AWS_189:The account's own key for EBS; one more key for each cluster is $1 per month
  availability_zone = data.aws_subnet.hub.availability_zone
  size              = var.data_volume_gib
  type              = "gp3"
  encrypted         = true
  snapshot_id       = var.data_snapshot_id
  final_snapshot    = var.last_snapshot

  tags = merge(local.tags, {
    Name                 = "labswarm-${var.cluster}-hub-data"
    "labswarm:snapshots" = var.cluster
  })

  # Where the subnet is looked up only during an apply, the zone would seem to change, and the
  # volume be replaced.
  lifecycle {
    ignore_changes = [availability_zone]
  }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  instance_id = aws_instance.hub.id
  volume_id   = aws_ebs_volume.data.id

  # Detaching a volume while a database writes to it would damage the database.
  stop_instance_before_detaching = true
}

resource "aws_iam_role" "snapshots" {
  name        = "labswarm-${var.cluster}-hub-snapshots-${local.region}"
  description = "Daily snapshots of the data volume of the labswarm hub ${var.cluster}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "dlm.${data.aws_partition.current.dns_suffix}" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "snapshots" {
  role       = aws_iam_role.snapshots.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "data" {
  description        = "labswarm ${var.cluster} hub data"
  execution_role_arn = aws_iam_role.snapshots.arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { "labswarm:snapshots" = var.cluster }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["02:00"] # UTC
      }

      retain_rule {
        count = var.snapshots_kept
      }
    }
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy_attachment.snapshots]
}
