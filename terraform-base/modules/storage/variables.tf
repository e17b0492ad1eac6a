variable "name" {
  description = "The cluster's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "name is \"${var.name}\": give 1 to 20 lowercase letters, digits and hyphens, with a letter first and no hyphen last."
  }
}

variable "subnet_ids" {
  description = "Private subnets that get a mount target. EFS allows one per zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "subnet_ids is ${jsonencode(var.subnet_ids)}: give a private subnet for each zone that has workers, at least one and each once."
  }
}

variable "security_group_id" {
  description = "The mount targets' security group: 2049/tcp from the cluster's hub and workers."
  type        = string
}

variable "client_role_arns" {
  description = "The roles that may mount the homes: the hub's and the workers'. Their own policies need no statement for EFS."
  type        = object({ hub = string, workers = string })
}

variable "days_to_infrequent_access" {
  description = "The days after which an unread file moves to Infrequent Access ($0.016 instead of $0.30 per GB and month, $0.01 per GB read). One read moves it back."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 7, 14, 30, 60, 90, 180, 270, 365], var.days_to_infrequent_access)
    error_message = "days_to_infrequent_access (homes.days_to_infrequent_access of a cluster) is ${var.days_to_infrequent_access}: choose 1, 7, 14, 30, 60, 90, 180, 270 or 365."
  }
}

variable "throughput_mode" {
  description = "\"elastic\": as fast as a class needs, $0.03 per GB read and $0.06 per GB written. \"bursting\": no price per GB, but a small file system without credits falls to 1 MiB/s for the whole class."
  type        = string
  default     = "elastic"

  validation {
    condition     = contains(["elastic", "bursting"], var.throughput_mode)
    error_message = "throughput_mode (homes.throughput_mode of a cluster) is \"${var.throughput_mode}\": choose \"elastic\" or \"bursting\"."
  }
}

variable "backups" {
  description = "Whether AWS Backup copies the homes each night and keeps each copy for 35 days ($0.05 per GB and month)."
  type        = bool
  default     = true
}

variable "restore" {
  description = "Whether the hub may mount the whole file system, to give homes back from a backup. README.md shows how; false at all other times."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags on everything, in addition to the provider's."
  type        = map(string)
  default     = {}
}
