# As in modules/cluster, which says why and refuses what is wrong.

variable "region" {
  description = "The AWS region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\": give an AWS region such as eu-west-1."
  }
}

variable "name" {
  description = "The cluster's name. The hub, the workers' group and the description /labswarm/clusters/<name> have it too."
  type        = string
}

variable "prefix" {
  description = "The beginning of the app's names: its parameter Prefix."
  type        = string
  default     = "labswarm"
}

# The network.

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone, for workers and homes."
  type        = list(string)
}

variable "public_subnet_ids" {
  description = "Public subnets. The hub is in the first, which needs a private subnet in the same zone, because homes are reached within a zone."
  type        = list(string)
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
}

variable "hub_egress_ports" {
  description = "TCP ports of the Internet that the hub reaches. 443 and 80 are for AWS, images and packages. Add the ports of your login, such as 636 for LDAP."
  type        = list(number)
  default     = [443, 80]
}

variable "worker_egress_ports" {
  description = "TCP ports of the Internet that workers, and so students, reach. 443 and 80 are for images and packages. Add 22 for git over SSH."
  type        = list(number)
  default     = [443, 80]
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
}

# The hub.

variable "image_owners" {
  description = "Accounts whose images may be used: `self`, and the ids of accounts that share theirs with this one."
  type        = list(string)
  default     = ["self"]
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

# The workers.

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
}

# Alarms and tags.

variable "alarm_topic_arns" {
  description = "SNS topics that the hub's alarms notify. Stack cluster's README.md has the command that shows the app's topic."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "More tags for every resource that takes tags, instances included."
  type        = map(string)
  default     = {}
}
