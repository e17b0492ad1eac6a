variable "name" {
  description = "The cluster's name. The hub, the workers' group and the description /labswarm/clusters/<name> have it too."
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

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,14}$", var.prefix))
    error_message = "prefix is \"${var.prefix}\": give 1 to 15 lowercase letters and digits with a letter first, as to the app."
  }
}

# The network.

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone, for workers and homes."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids is empty: name at least one private subnet, better one in each of two zones."
  }
}

variable "public_subnet_ids" {
  description = "Public subnets. The hub is in the first, which needs a private subnet in the same zone, because homes are reached within a zone."
  type        = list(string)

  validation {
    condition     = length(var.public_subnet_ids) > 0
    error_message = "public_subnet_ids is empty: name at least one public subnet, for the hub."
  }
}

variable "security_groups" {
  description = "The VPC's shared groups: hub and workers carry `nodes` (output security_groups of modules/network or stack chef)."
  type        = object({ nodes = string })
}

variable "internet" {
  description = "Whether the private subnets reach the Internet (modules/network's output)."
  type        = bool
  default     = true
}

variable "prefix_list_ids" {
  description = "The prefix lists of gateway endpoints, where there is no Internet (modules/network's output)."
  type        = map(string)
  default     = {}
}

variable "hub_ingress_cidrs" {
  description = "The IPv4 CIDR blocks from which students reach the hub."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.hub_ingress_cidrs) > 0 && alltrue([for cidr in var.hub_ingress_cidrs : can(cidrnetmask(cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "hub_ingress_cidrs is ${jsonencode(var.hub_ingress_cidrs)}: give IPv4 CIDR blocks such as 192.0.2.0/24 (no bits set after the prefix), or [\"0.0.0.0/0\"] for everyone."
  }

  validation {
    condition     = length(distinct(var.hub_ingress_cidrs)) == length(var.hub_ingress_cidrs)
    error_message = "hub_ingress_cidrs is ${jsonencode(var.hub_ingress_cidrs)}: give each block once."
  }

  # A security group takes 60 rules inward. Each block is two, and four are the workers'.
  # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
  validation {
    condition     = length(var.hub_ingress_cidrs) <= 28
    error_message = "hub_ingress_cidrs has ${length(var.hub_ingress_cidrs)} blocks, and the hub's security group has room for 28: give larger blocks."
  }

  validation {
    condition     = try(var.domain.acme_email, null) == null || contains(var.hub_ingress_cidrs, "0.0.0.0/0")
    error_message = "hub_ingress_cidrs is ${jsonencode(var.hub_ingress_cidrs)}, and Let's Encrypt asks from addresses that it does not name: give [\"0.0.0.0/0\"], or a domain.certificate_secret_arn in place of domain.acme_email."
  }
}

variable "hub_egress_ports" {
  description = "TCP ports of the Internet that the hub reaches. 443 and 80 are for AWS, images and packages. Add the ports of your login, such as 636 for LDAP."
  type        = list(number)
  default     = [443, 80]

  validation {
    condition     = alltrue([for port in var.hub_egress_ports : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "hub_egress_ports is ${jsonencode(var.hub_egress_ports)}: give whole numbers from 1 to 65535."
  }

  validation {
    condition     = length(distinct(var.hub_egress_ports)) == length(var.hub_egress_ports)
    error_message = "hub_egress_ports is ${jsonencode(var.hub_egress_ports)}: give each port once."
  }

  validation {
    condition     = length(setsubtract([443, 80], var.hub_egress_ports)) == 0
    error_message = "hub_egress_ports is ${jsonencode(var.hub_egress_ports)}: add 443, for AWS and the class's images, and 80, for packages."
  }
}

variable "worker_egress_ports" {
  description = "TCP ports of the Internet that workers, and so students, reach. 443 and 80 are for images and packages. Add 22 for git over SSH."
  type        = list(number)
  default     = [443, 80]

  validation {
    condition     = alltrue([for port in var.worker_egress_ports : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "worker_egress_ports is ${jsonencode(var.worker_egress_ports)}: give whole numbers from 1 to 65535."
  }

  validation {
    condition     = length(distinct(var.worker_egress_ports)) == length(var.worker_egress_ports)
    error_message = "worker_egress_ports is ${jsonencode(var.worker_egress_ports)}: give each port once."
  }

  validation {
    condition     = !var.internet || contains(var.worker_egress_ports, 443)
    error_message = "worker_egress_ports is ${jsonencode(var.worker_egress_ports)}: add 443, for AWS."
  }
}

variable "chef" {
  description = "The Chef Server, as stack chef's output of that name. `ca_pem`: null for a public certificate authority. No secret. Another value restarts the hub's instance, which cuts off every open notebook for some minutes."
  type = object({
    url          = string
    organization = optional(string, "labswarm")
    ca_pem       = optional(string)
    admin        = optional(string, "labswarm")
    key_id       = optional(string, "alias/labswarm-chef-admin")
  })

  validation {
    condition     = can(regex("^https://\\S+$", var.chef.url))
    error_message = "chef.url is \"${var.chef.url}\": give the Chef Server's URL, starting with https://."
  }
}

# The hub.

variable "image_owners" {
  description = "Accounts whose images may be used: `self`, and the ids of accounts that share theirs with this one."
  type        = list(string)
  default     = ["self"]

  validation {
    condition     = length(var.image_owners) > 0 && alltrue([for owner in var.image_owners : can(regex("^(self|[0-9]{12})$", owner))])
    error_message = "image_owners is ${jsonencode(var.image_owners)}: give \"self\", ids of accounts (12 digits), or both."
  }
}

variable "hub_ami" {
  description = "The hub's image (packer/chef-client). Another one replaces the instance; its addresses, Swarm and database stay."
  type        = string
}

variable "hub_instance_type" {
  description = "The hub's instance type, of at least 2 GiB and 2 vCPU."
  type        = string
  default     = "t3.large"
}

variable "hub_private_address" {
  description = "The hub's private address. null: AWS chooses one in the subnet, and it stays as long as the cluster."
  type        = string
  default     = null
}

variable "hub_root_volume_gib" {
  description = "The size of the hub's root volume (GiB), at least that of its image."
  type        = number
  default     = 30
}

variable "hub_data_volume_gib" {
  description = "The size of the hub's data volume (GiB): the Swarm's state and the hub's database."
  type        = number
  default     = 10
}

variable "hub_data_snapshot_id" {
  description = "The snapshot from which the hub's data volume is created. Another value replaces the volume. null: an empty volume."
  type        = string
  default     = null
}

variable "hub_snapshots_kept" {
  description = "The number of daily snapshots of the hub's data volume to keep."
  type        = number
  default     = 7
}

variable "hub_last_snapshot" {
  description = "Whether the hub's data volume leaves a snapshot behind when the cluster is destroyed."
  type        = bool
  default     = true
}

variable "domain" {
  description = <<-EOT
    The hub's name and certificate; null: the hub is known by its address and signs its own certificate, which browsers warn of (trials only).
    `name`: the DNS name. `zone_id`: the Route 53 zone that gets its record; null: make the record yourself, to `hub_public_address`.
    One of `acme_email` (Let's Encrypt, which writes there before a certificate runs out) and `certificate_secret_arn`
    (a secret with JSON {certificate, key}, both PEM).
  EOT
  type = object({
    name                   = string
    zone_id                = optional(string)
    acme_email             = optional(string)
    certificate_secret_arn = optional(string)
  })
  default = null
}

# The homes.

variable "homes" {
  description = "The students' homes (modules/storage): days until a file that is not read becomes infrequently accessed, throughput mode, daily backups."
  type = object({
    days_to_infrequent_access = optional(number, 30)
    throughput_mode           = optional(string, "elastic")
    backups                   = optional(bool, true)
  })
  default = {}
}

variable "delete_homes_on_destroy" {
  description = "Whether the homes may be deleted. While false, a destroy and a change of `name` stop before they touch anything. Apply true first, then destroy."
  type        = bool
  default     = false
}

variable "restore_homes" {
  description = "Whether the hub may mount the homes' whole file system, to give homes back from a backup (modules/storage/README.md). false at all other times."
  type        = bool
  default     = false
}

# The workers. modules/workers lists the allowed values, and refuses the rest.

variable "worker_ami" {
  description = "The workers' image (packer/chef-client). Running workers keep theirs until they go."
  type        = string
}

variable "instance_types" {
  description = "The workers' instance types, the preferred on-demand one first. More types make spot interruptions rarer. Each needs room for a seat."
  type        = list(string)
  default     = ["m7i.large", "m6i.large", "m5.large", "m6a.large"]
}

variable "worker_volume_gib" {
  description = "The size of a worker's root volume (GiB); it holds the class images."
  type        = number
  default     = 40
}

variable "on_demand_base" {
  description = "The number of workers that are on-demand before any is spot."
  type        = number
  default     = 0
}

variable "on_demand_percentage" {
  description = "The percentage of workers above on_demand_base that are on-demand. The others are spot."
  type        = number
  default     = 0
}

variable "hook_timeout_seconds" {
  description = "The seconds that the launch and terminate hooks wait for a heartbeat (180 to 7200). The app sends one each minute, and two may be lost."
  type        = number
  default     = 600
}

variable "seat" {
  description = "One student's guarantee: memory (MiB) and CPU (cores)."
  type        = object({ memory_mib = number, cpu = number })
  default     = { memory_mib = 1024, cpu = 0.25 }
}

variable "overhead" {
  description = "A worker's own share: memory (MiB) and CPU (cores)."
  type        = object({ memory_mib = number, cpu = number })
  default     = { memory_mib = 448, cpu = 0.1 }
}

variable "headroom" {
  description = "The number of seats to keep free outside booked hours, on workers that run all day. With 0 an idle cluster has no worker, and the first student without a booked lab waits until one starts."
  type        = number
  default     = 0
}

variable "login" {
  description = <<-EOT
    The hub's login; null: the hub waits until /etc/labswarm/attributes.json on it says so. `authenticator`: a JupyterHub
    authenticator's class or short name. `admins`: their names. `conf`: its settings as JupyterHub configuration, file name to text; no secret,
    since who may describe the instance reads it. `python_packages`: the packages to install for it. Another value restarts the hub's instance:
    every open notebook is cut off for some minutes. null does not close a hub that was open: say who may log in in its place, or narrow
    `hub_ingress_cidrs`.
  EOT
  type = object({
    authenticator   = string
    admins          = optional(list(string), [])
    conf            = optional(map(string), {})
    python_packages = optional(list(string), [])
  })
  default = null
}

variable "document" {
  description = "The first version of the hub's document, as YAML: `file(\"physics.yaml\")`, checked before with `labswarm hub validate`. It is laid once, when this is first set: a later value changes nothing, since admins then write the document with `labswarm hub`. Leave it null for a hub that has a document already."
  type        = string
  default     = null
}

variable "images" {
  description = "The class images that a worker pulls before it opens, best by digest. Another list restarts the hub's instance, which cuts off every open notebook for some minutes."
  type        = list(string)

  validation {
    condition     = length(var.images) > 0
    error_message = "images is empty: name at least one class image, such as quay.io/jupyter/scipy-notebook@sha256:…; a student's server starts from it."
  }
}

variable "empty_deadline_minutes" {
  description = "The minutes that students on a worker have before they are moved, when the worker is about to end (at most 180)."
  type        = number
  default     = 15
}

variable "timetable" {
  description = "Where the booked hours are read from: an https URL of an iCalendar feed, or `ssm:/labswarm/timetables/<cluster>`; null for none."
  type        = string
  default     = null
}

variable "node_start_seconds" {
  description = "The seconds from a worker's launch until it is open. The app requests workers that long before a booked hour."
  type        = number
  default     = 240
}

variable "min_nodes" {
  description = "The number of workers that the app keeps when nobody is there."
  type        = number
  default     = 0
}

variable "max_nodes" {
  description = "The most workers at a time."
  type        = number
  default     = 10
}

variable "scale_out_at" {
  description = "The average use of CPU and memory (percent) above which a group grows by itself, in case lab hours fail."
  type        = object({ cpu_percent = optional(number, 80), memory_percent = optional(number, 85) })
  default     = {}
}

variable "extra_groups" {
  description = <<-EOT
    Further groups of workers on the same hub, by name: for classes with GPUs or much memory. Group `g` is the app's cluster `<name>-g`.
    Null means: as in the main group.
  EOT
  type = map(object({
    instance_types         = list(string)
    seat                   = object({ memory_mib = number, cpu = number })
    overhead               = optional(object({ memory_mib = number, cpu = number }))
    headroom               = optional(number, 0)
    images                 = optional(list(string))
    worker_ami             = optional(string)
    worker_volume_gib      = optional(number)
    on_demand_base         = optional(number, 0)
    on_demand_percentage   = optional(number, 0)
    hook_timeout_seconds   = optional(number)
    empty_deadline_minutes = optional(number)
    timetable              = optional(string)
    node_start_seconds     = optional(number)
    min_nodes              = optional(number, 0)
    max_nodes              = optional(number, 4)
  }))
  default = {}

  validation {
    condition     = alltrue([for group in keys(var.extra_groups) : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", "${var.name}-${group}")) && can(regex("^[a-z0-9]", group))])
    error_message = "extra_groups has ${join(", ", keys(var.extra_groups))}: give each group a name of lowercase letters, digits and hyphens, with no hyphen first or last, that makes <name>-<group> at most 20 characters long."
  }
}

# Alarms and tags.

variable "alarm_topic_arns" {
  description = "SNS topics that the hub's alarms notify. Stack cluster's README.md has the command that shows the app's topic."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:", arn))])
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
  description = "More tags for every resource that takes tags, instances included."
  type        = map(string)
  default     = {}
}
