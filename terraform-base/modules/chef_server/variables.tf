variable "vpc_id" {
  description = "The VPC of the server and of all its clusters."
  type        = string
}

variable "subnet_id" {
  description = "The private subnet of the server and of the workstation."
  type        = string
}

variable "zone" {
  description = "The subnet's availability zone, in which the data volume must be."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", var.zone))
    error_message = "zone is \"${var.zone}\": give the availability zone of subnet_id, such as eu-west-1a."
  }
}

variable "security_groups" {
  description = "Ids of the VPC's security groups, as the network module gives them."
  type = object({
    chef_server = string
    endpoints   = string
  })
}

variable "ami" {
  description = "The Chef Server's image (x86_64). The README lists its contents."
  type        = string

  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami))
    error_message = "ami (chef_server_ami of stack chef) is \"${var.ami}\": give an image's id, such as ami-0123456789abcdef0."
  }
}

variable "instance_type" {
  description = "The server's instance type: x86_64, 2 vCPU and 8 GiB or more. t3.large is $60.74 per month in us-east-1."
  type        = string
  default     = "t3.large"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type (chef_server_instance_type of stack chef) is \"${var.instance_type}\": give an instance type, such as t3.large."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.instance_type))
    error_message = "instance_type (chef_server_instance_type of stack chef) is ${var.instance_type}, for arm64, and there are no arm64 packages of the Chef Server: choose an x86_64 type, such as t3.large."
  }

  validation {
    condition     = !can(regex("\\.(nano|micro|small|medium)$", var.instance_type))
    error_message = "instance_type (chef_server_instance_type of stack chef) is ${var.instance_type}, and a Chef Server needs 8 GiB of memory: choose a large type or larger, such as t3.large."
  }
}

variable "organization" {
  description = "The Chef organization of all clusters' nodes."
  type        = string
  default     = "labswarm"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{0,254}$", var.organization))
    error_message = "organization is \"${var.organization}\": give a lowercase letter or digit, then up to 254 of these, hyphens and underscores."
  }
}

variable "domain" {
  description = "A public name for the server in a Route 53 zone, for certificates from Let's Encrypt, which need egress to the Internet. Without it the server is chef.labswarm.internal and has its own certificate authority."
  type = object({
    name    = string
    zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain.name))
    error_message = "domain.name is \"${try(var.domain.name, "")}\": give a host name in lowercase, such as chef.department.example.org."
  }

  validation {
    condition     = var.domain == null || can(regex("^Z[A-Z0-9]{4,31}$", var.domain.zone_id))
    error_message = "domain.zone_id is \"${try(var.domain.zone_id, "")}\": give the id of a Route 53 zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "private_ip" {
  description = "The server's address in its subnet. If left out, AWS chooses one, which stays as long as the server."
  type        = string
  default     = null

  validation {
    condition     = var.private_ip == null || can(cidrnetmask("${var.private_ip}/32"))
    error_message = "private_ip (chef_server_private_ip of stack chef) is \"${coalesce(var.private_ip, "null")}\": give an IPv4 address of the subnet, such as 10.64.0.10, or leave it out."
  }
}

variable "data_volume_gib" {
  description = "Size of the data volume in GiB ($0.08 per GiB and month). A thousand nodes and their cookbooks take less than 5 GiB. A backup needs the same again while it runs."
  type        = number
  default     = 30

  validation {
    condition     = var.data_volume_gib >= 10 && var.data_volume_gib <= 16384 && floor(var.data_volume_gib) == var.data_volume_gib
    error_message = "data_volume_gib is ${var.data_volume_gib}: give a whole number from 10 to 16384."
  }
}

variable "backup_hour_utc" {
  description = "The hour (UTC, 0-23) of the nightly backup. The server is offline for some minutes then: choose an hour without classes."
  type        = number
  default     = 2

  validation {
    condition     = var.backup_hour_utc >= 0 && var.backup_hour_utc <= 23 && floor(var.backup_hour_utc) == var.backup_hour_utc
    error_message = "backup_hour_utc is ${var.backup_hour_utc}: give a whole hour from 0 to 23."
  }
}

variable "backup_days" {
  description = "The days for which a backup is kept ($0.023 per GB and month)."
  type        = number
  default     = 35

  validation {
    condition     = var.backup_days >= 7 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days is ${var.backup_days}: give a whole number of at least 7, so that a mistake is found while a backup from before it exists."
  }
}

variable "delete_backups_on_destroy" {
  description = "Whether a destroy deletes the backups as well. While false, the destroy stops at a bucket that has backups."
  type        = bool
  default     = false
}

variable "workstation" {
  description = "An instance from which operators work with Chef, in sessions of Systems Manager: its image and type. t3.small is $15.18 per month; stop it when you do not use it. No instance if left out."
  type = object({
    ami           = string
    instance_type = optional(string, "t3.small")
  })
  default = null

  validation {
    condition     = var.workstation == null || can(regex("^ami-[0-9a-f]{8,17}$", var.workstation.ami))
    error_message = "workstation.ami is \"${try(var.workstation.ami, "")}\": give an image's id, such as ami-0123456789abcdef0."
  }

  validation {
    condition     = var.workstation == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.workstation.instance_type))
    error_message = "workstation.instance_type is \"${try(var.workstation.instance_type, "")}\": give an instance type, such as t3.small."
  }
}

variable "app_stack_name" {
  description = "The name of the app's stack. Only its Chef functions may sign as the server's admin."
  type        = string
  default     = "labswarm"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,19}$", var.app_stack_name))
    error_message = "app_stack_name is \"${var.app_stack_name}\": give a letter, then up to 19 letters, digits and hyphens. With a longer name CloudFormation shortens the names of the functions' roles."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms notify. Stack chef's README.md has the command that shows the app's topic."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : startswith(arn, "arn:")])
    error_message = "alarm_topic_arns is ${jsonencode(var.alarm_topic_arns)}: give ARNs of SNS topics, such as arn:aws:sns:eu-west-1:123456789012:labswarm-alarms."
  }

  # An alarm takes five actions, and one is the recovery of the instance.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  validation {
    condition     = length(var.alarm_topic_arns) <= 4
    error_message = "alarm_topic_arns has ${length(var.alarm_topic_arns)} topics: give at most 4, or one topic with more subscriptions."
  }
}

variable "tags" {
  description = "Tags on everything, in addition to the provider's."
  type        = map(string)
  default     = {}
}
