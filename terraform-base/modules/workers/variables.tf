variable "name" {
  description = "The app's name of this group: the cluster `x` for a hub's main group, `x-g` for its further group `g`."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "name is \"${var.name}\": give 1 to 20 lowercase letters, digits and hyphens, with a letter first and no hyphen last; the group is called <prefix>-<name>-workers."
  }
}

variable "prefix" {
  description = "The beginning of the app's names: its parameter Prefix."
  type        = string
  default     = "labswarm"
}

variable "subnet_ids" {
  description = "Private subnets, one per zone, in which workers start."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids is empty: name at least one private subnet for the workers, better one in each of two zones."
  }
}

variable "security_group_ids" {
  description = "The workers' security groups: their own, and the one of all nodes."
  type        = list(string)
}

variable "ami" {
  description = "The workers' image (packer/chef-client)."
  type        = string
}

variable "image_owners" {
  description = "Accounts whose images may be used: `self`, and the ids of accounts that share theirs."
  type        = list(string)
  default     = ["self"]
}

variable "instance_types" {
  description = "The workers' instance types, the preferred on-demand one first. More types make spot interruptions rarer. Each needs room for a seat."
  type        = list(string)

  validation {
    condition     = length(var.instance_types) > 0 && length(distinct(var.instance_types)) == length(var.instance_types)
    error_message = "instance_types is ${jsonencode(var.instance_types)}: name at least one instance type, and none twice."
  }
}

variable "on_demand_base" {
  description = "The number of workers that are on-demand before any is spot."
  type        = number

  validation {
    condition     = var.on_demand_base >= 0 && floor(var.on_demand_base) == var.on_demand_base
    error_message = "on_demand_base is ${var.on_demand_base}: give a whole number of workers, at least 0."
  }
}

variable "on_demand_percentage" {
  description = "The percentage of workers above on_demand_base that are on-demand. The others are spot."
  type        = number

  validation {
    condition     = var.on_demand_percentage >= 0 && var.on_demand_percentage <= 100 && floor(var.on_demand_percentage) == var.on_demand_percentage
    error_message = "on_demand_percentage is ${var.on_demand_percentage}: give a whole number from 0 (all spot) to 100 (all on-demand)."
  }
}

variable "root_volume_gib" {
  description = "The size of a worker's root volume (GiB); it holds the class images."
  type        = number

  validation {
    condition     = var.root_volume_gib >= 10
    error_message = "root_volume_gib (worker_volume_gib of a cluster) is ${var.root_volume_gib}: give at least 10, for the system and the class images."
  }
}

variable "hook_timeout_seconds" {
  description = "The seconds that the launch and terminate hooks wait for a heartbeat. The app sends one each minute, and two may be lost."
  type        = number

  validation {
    condition     = var.hook_timeout_seconds >= 180 && var.hook_timeout_seconds <= 7200 && floor(var.hook_timeout_seconds) == var.hook_timeout_seconds
    error_message = "hook_timeout_seconds is ${var.hook_timeout_seconds}: give a whole number from 180 to 7200. The app sends a heartbeat each minute and two of them may be lost; Auto Scaling takes at most 7200."
  }
}

variable "seat" {
  description = "One student's guarantee: memory (MiB) and CPU (cores)."
  type        = object({ memory_mib = number, cpu = number })

  validation {
    condition     = var.seat.memory_mib >= 1 && floor(var.seat.memory_mib) == var.seat.memory_mib && var.seat.cpu >= 0.01
    error_message = "seat is ${jsonencode(var.seat)}: give memory_mib as a whole number from 1 and cpu as at least 0.01 cores."
  }
}

variable "overhead" {
  description = "A worker's own share: memory (MiB) and CPU (cores)."
  type        = object({ memory_mib = number, cpu = number })

  validation {
    condition     = var.overhead.memory_mib >= 0 && floor(var.overhead.memory_mib) == var.overhead.memory_mib && var.overhead.cpu >= 0
    error_message = "overhead is ${jsonencode(var.overhead)}: give memory_mib as a whole number from 0 and cpu as at least 0 cores."
  }
}

variable "headroom" {
  description = "The number of seats to keep free outside booked hours."
  type        = number

  validation {
    condition     = var.headroom >= 0 && floor(var.headroom) == var.headroom
    error_message = "headroom is ${var.headroom}: give a whole number of seats, at least 0."
  }
}

variable "images" {
  description = "The class images that a worker pulls before it opens, best by digest."
  type        = list(string)

  validation {
    condition     = length(var.images) > 0
    error_message = "images is empty: name at least one class image, such as quay.io/jupyter/scipy-notebook@sha256:…; a student's server starts from it."
  }

  # Parameter Store takes 8 KB. The rest is for the Chef Server's certificate authority, which a plan may not know yet.
  validation {
    condition     = length(base64encode(jsonencode(var.images))) * 3 / 4 <= 4096
    error_message = "images has ${floor(length(base64encode(jsonencode(var.images))) * 3 / 4)} bytes, and the cluster's description in Parameter Store has room for 4096: name fewer images."
  }

  validation {
    condition     = alltrue([for image in var.images : can(regex("^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", image))])
    error_message = "images is ${jsonencode(var.images)}: give image references such as quay.io/jupyter/scipy-notebook@sha256:…, without spaces or commas."
  }
}

variable "empty_deadline_minutes" {
  description = "The minutes that students on a worker have before they are moved, when the worker is about to end (at most 180)."
  type        = number

  validation {
    condition     = var.empty_deadline_minutes >= 0 && floor(var.empty_deadline_minutes * 60) == var.empty_deadline_minutes * 60
    error_message = "empty_deadline_minutes is ${var.empty_deadline_minutes}: give at least 0, in whole seconds."
  }

  # Each look whether they have gone adds nine events to the execution's history, which ends at 25,000. A
  # hook of the shortest timeout that is taken waits 300 minutes at most, however many heartbeats it gets.
  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
  # https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
  validation {
    condition     = var.empty_deadline_minutes <= 180
    error_message = "empty_deadline_minutes is ${var.empty_deadline_minutes}: give at most 180, the longest time that an execution can wait for students."
  }
}

variable "timetable" {
  description = "Where the booked hours are read from: an https URL of an iCalendar feed, or `ssm:/labswarm/timetables/<cluster>`; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.timetable == null || can(regex("^(https://\\S+|ssm:/labswarm/timetables/\\S+)$", var.timetable))
    error_message = "timetable is \"${coalesce(var.timetable, "null")}\": give an https URL, ssm:/labswarm/timetables/<cluster>, or null."
  }
}

variable "node_start_seconds" {
  description = "The seconds from a worker's launch until it is open. The app requests workers that long before a booked hour."
  type        = number

  validation {
    condition     = var.node_start_seconds >= 1 && floor(var.node_start_seconds) == var.node_start_seconds
    error_message = "node_start_seconds is ${var.node_start_seconds}: give a whole number of seconds, at least 1."
  }
}

variable "min_nodes" {
  description = "The number of workers that the app keeps when nobody is there. The group's own minimum is 0."
  type        = number

  validation {
    condition     = var.min_nodes >= 0 && floor(var.min_nodes) == var.min_nodes
    error_message = "min_nodes is ${var.min_nodes}: give a whole number of workers, at least 0."
  }

  validation {
    condition     = var.min_nodes <= var.max_nodes
    error_message = "min_nodes is ${var.min_nodes} and max_nodes is ${var.max_nodes}: lower min_nodes or raise max_nodes."
  }
}

variable "max_nodes" {
  description = "The most workers at a time."
  type        = number

  validation {
    condition     = var.max_nodes >= 1 && floor(var.max_nodes) == var.max_nodes
    error_message = "max_nodes is ${var.max_nodes}: give a whole number of workers, at least 1."
  }
}

variable "scale_out_at" {
  description = "The average use of CPU and memory (percent) above which the group grows by itself, in case lab hours fail."
  type        = object({ cpu_percent = optional(number, 80), memory_percent = optional(number, 85) })
  default     = {}

  validation {
    condition     = alltrue([for percent in values(var.scale_out_at) : percent >= 1 && percent <= 100])
    error_message = "scale_out_at is ${jsonencode(var.scale_out_at)}: give percentages from 1 to 100."
  }
}

variable "instance_profile_arn" {
  description = "The ARN of the workers' instance profile."
  type        = string
}

variable "join_secret" {
  description = "The name of the secret with the Swarm's join token."
  type        = string
}

variable "hub_address" {
  description = "The hub's private address."
  type        = string
}

variable "efs" {
  description = "The file system and access point of the students' homes."
  type        = object({ file_system_id = string, access_point_id = string })
}

variable "chef" {
  description = "The Chef Server's URL, organization, and certificate authority (PEM; null for a public one)."
  type        = object({ url = string, organization = string, ca_pem = string })
}

variable "tags" {
  description = "More tags for every resource that takes tags, instances included."
  type        = map(string)
  default     = {}
}
