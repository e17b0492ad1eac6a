# The hub's logs, and the alarms that only its own machine can give reason for.

locals {
  log_group = "/labswarm/${var.cluster}/hub"
}

resource "aws_cloudwatch_log_group" "hub" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it with a key of its own; one more key for each cluster is $1 a month
  #checkov:skip=CKV_AWS_338:The hub's log has students' names, which are not kept for a year
  name              = local.log_group
  retention_in_days = 30
  tags              = var.tags
}

# JupyterHub logs this sentence for each start that failed. A student who found no seat is the alarm StudentsWait's.
resource "aws_cloudwatch_log_metric_filter" "failed_starts" {
  name           = "labswarm-${var.cluster}-failed-starts"
  log_group_name = aws_cloudwatch_log_group.hub.name
  pattern        = "\"Not starting\" \"server\" -\"in line for a seat\" -\"in the hub's settings\""

  metric_transformation {
    namespace     = "labswarm"
    name          = "FailedStarts-${var.cluster}"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed_starts" {
  alarm_name          = "labswarm-${var.cluster}-failed-starts"
  alarm_description   = "Three or more students' servers did not start in the last five minutes, on ${var.cluster}. These students cannot work. Open docs/how-to/alarms.md#a-hub-failed-starts"
  namespace           = "labswarm"
  metric_name         = "FailedStarts-${var.cluster}"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

# The culler logs this sentence every ten minutes for each home that has its size, while its student's server runs.
resource "aws_cloudwatch_log_metric_filter" "full_homes" {
  name           = "labswarm-${var.cluster}-full-homes"
  log_group_name = aws_cloudwatch_log_group.hub.name
  pattern        = "\"The home of\" \"is full\""

  metric_transformation {
    namespace = "labswarm"
    name      = "FullHomes-${var.cluster}"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "full_homes" {
  alarm_name          = "labswarm-${var.cluster}-full-homes"
  alarm_description   = "For half an hour at least one home of ${var.cluster} has been as large as homes may be. Its student is notified and can go on; EFS stores it and costs more. Open docs/how-to/alarms.md#a-hub-full-homes"
  namespace           = "labswarm"
  metric_name         = "FullHomes-${var.cluster}"
  statistic           = "Sum"
  period              = 900
  evaluation_periods  = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

# An exam cannot be repeated: its first failure is an alarm.
resource "aws_cloudwatch_log_metric_filter" "exam_failures" {
  name           = "labswarm-${var.cluster}-exam-failures"
  log_group_name = aws_cloudwatch_log_group.hub.name
  pattern        = "\"Exam at risk\""

  metric_transformation {
    namespace     = "labswarm"
    name          = "ExamFailures-${var.cluster}"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "exam_failures" {
  alarm_name          = "labswarm-${var.cluster}-exam-failures"
  alarm_description   = "A server of an exam did not start, has ended, or its files are not copied, within the last minute, on ${var.cluster}. The student cannot go on. Open docs/how-to/alarms.md#a-hub-exam"
  namespace           = "labswarm"
  metric_name         = "ExamFailures-${var.cluster}"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

# A full disk stops the hub: it can write no database and no Swarm state.
resource "aws_cloudwatch_metric_alarm" "disk" {
  for_each = { root = "/", data = "/srv/labswarm" }

  alarm_name          = "labswarm-${var.cluster}-hub-disk-${each.key}"
  alarm_description   = "The disk ${each.value} of the hub of ${var.cluster} has been over 85 % full for 15 minutes. When it is full, students can no longer log in or start servers. Open docs/how-to/alarms.md#a-hub-disk"
  namespace           = "CWAgent"
  metric_name         = "disk_used_percent"
  dimensions          = { InstanceId = aws_instance.hub.id, path = each.value, fstype = "ext4" }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

# Reported each hour by labswarm-hub certificate-days. Caddy renews a certificate of Let's Encrypt when a third of its time is left.
resource "aws_cloudwatch_metric_alarm" "certificate" {
  count = var.domain == null ? 0 : 1

  alarm_name          = "labswarm-${var.cluster}-hub-certificate"
  alarm_description   = "The certificate of the hub of ${var.cluster} has had less than seven days left for an hour. When it runs out, students' browsers warn of the hub. Open docs/how-to/alarms.md#a-hub-certificate"
  namespace           = "CWAgent"
  metric_name         = "certificate_days_left"
  dimensions          = { InstanceId = aws_instance.hub.id }
  statistic           = "Minimum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 7
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
