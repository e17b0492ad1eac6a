variable "cluster" {
  description = "The cluster's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.cluster))
    error_message = "cluster (name of a cluster) is \"${var.cluster}\": give 1 to 20 lowercase letters, digits and hyphens, with a letter first and no hyphen last."
  }
}

variable "groups" {
  description = "The clusters that the app knows of this hub: the cluster itself and its further groups `<cluster>-<group>`."
  type        = list(string)

  validation {
    condition     = length(var.groups) > 0
    error_message = "groups is empty: name at least the cluster itself."
  }
}

variable "subnet_id" {
  description = "A public subnet, in a zone with a mount target of the homes."
  type        = string
}

variable "security_group_ids" {
  description = "The hub's security groups: its own, and the one of all nodes."
  type        = list(string)
}

variable "ami" {
  description = "The hub's image (packer/chef-client). Another one replaces the instance; address, data and Swarm stay."
  type        = string
}

variable "image_owners" {
  description = "Accounts whose images may be used: `self`, and the ids of accounts that share theirs."
  type        = list(string)
  default     = ["self"]
}

variable "instance_type" {
  description = "The hub's instance type, of at least 2 GiB and 2 vCPU."
  type        = string
}

variable "private_address" {
  description = "The hub's private address, which its workers use for as long as the cluster exists. null: AWS chooses one in the subnet."
  type        = string
  default     = null

  validation {
    condition     = var.private_address == null || can(cidrhost("${var.private_address}/32", 0))
    error_message = "private_address (hub_private_address of a cluster) is \"${coalesce(var.private_address, "null")}\": give an IPv4 address of the subnet, or null."
  }
}

variable "root_volume_gib" {
  description = "The size of the root volume (GiB), at least that of the image."
  type        = number

  validation {
    condition     = var.root_volume_gib >= 10
    error_message = "root_volume_gib (hub_root_volume_gib of a cluster) is ${var.root_volume_gib}: give at least 10, for the system and the hub's image."
  }
}

variable "data_volume_gib" {
  description = "The size of the data volume (GiB): the Swarm's state and the hub's database."
  type        = number

  validation {
    condition     = var.data_volume_gib >= 1 && floor(var.data_volume_gib) == var.data_volume_gib
    error_message = "data_volume_gib (hub_data_volume_gib of a cluster) is ${var.data_volume_gib}: give a whole number of GiB, at least 1."
  }
}

variable "data_snapshot_id" {
  description = "The snapshot from which the data volume is created. Another value replaces the volume. null: an empty volume."
  type        = string
  default     = null

  validation {
    condition     = var.data_snapshot_id == null || can(regex("^snap-[0-9a-f]{8,17}$", var.data_snapshot_id))
    error_message = "data_snapshot_id (hub_data_snapshot_id of a cluster) is \"${coalesce(var.data_snapshot_id, "null")}\": give the id of a snapshot, such as snap-0123456789abcdef0, or null."
  }
}

variable "snapshots_kept" {
  description = "The number of daily snapshots of the data volume to keep."
  type        = number

  validation {
    condition     = var.snapshots_kept >= 1 && var.snapshots_kept <= 1000 && floor(var.snapshots_kept) == var.snapshots_kept
    error_message = "snapshots_kept (hub_snapshots_kept of a cluster) is ${var.snapshots_kept}: give a whole number from 1 to 1000."
  }
}

variable "last_snapshot" {
  description = "Whether the data volume leaves a snapshot behind when it is destroyed."
  type        = bool
}

variable "domain" {
  description = <<-EOT
    The hub's name and certificate; null: the hub is known by its address and signs its own certificate, which browsers warn of (trials only).
    `name`: the DNS name. `zone_id`: the Route 53 zone that gets its record; null: make the record yourself, to `public_address`.
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

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain.name))
    error_message = "domain.name is \"${try(var.domain.name, "")}\": give a DNS name such as physics.hub.example.edu, in lowercase and without https://."
  }

  validation {
    condition     = var.domain == null || try((var.domain.acme_email == null) != (var.domain.certificate_secret_arn == null), true)
    error_message = "domain of ${try(var.domain.name, "")} has ${try(var.domain.acme_email, null) == null ? "neither acme_email nor" : "both acme_email and"} certificate_secret_arn: give acme_email for a certificate of Let's Encrypt, or certificate_secret_arn for your own."
  }
}

variable "login" {
  description = <<-EOT
    The hub's login; null: the hub waits until /etc/labswarm/attributes.json on it says so. `authenticator`: a JupyterHub
    authenticator's class or short name. `admins`: their names. `conf`: its settings as JupyterHub configuration, file name to text; no secret,
    since who may describe the instance reads it. `python_packages`: the packages to install for it. null does not close a hub that was open.
  EOT
  type = object({
    authenticator   = string
    admins          = optional(list(string), [])
    conf            = optional(map(string), {})
    python_packages = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.login == null || !contains(["dummy", "null", ""], try(var.login.authenticator, ""))
    error_message = "login.authenticator is \"${try(var.login.authenticator, "")}\": name one that checks who logs in, such as oauthenticator.generic.GenericOAuthenticator."
  }

  validation {
    condition     = alltrue([for file in keys(try(var.login.conf, {})) : can(regex("^[a-z0-9_-]+\\.py$", file))])
    error_message = "login.conf has files named ${join(", ", keys(try(var.login.conf, {})))}: give names such as login.py."
  }

  # Of the 16,384 bytes of user data, the rest is for the Chef Server's certificate authority and for ids, which a plan may not know yet.
  validation {
    condition     = length(base64encode(jsonencode([var.login, var.images]))) * 3 / 4 <= 12288
    error_message = "login and images have ${floor(length(base64encode(jsonencode([var.login, var.images]))) * 3 / 4)} bytes, and the hub's user data has room for 12288: put long settings of the login into a file in /srv/labswarm/hub/conf.d on the hub, or name fewer images."
  }
}

variable "document" {
  description = "The first version of the hub's document, as YAML: `file(\"physics.yaml\")`, checked before with `labswarm hub validate`. It is laid once, when this is first set: a later value changes nothing, since admins then write the document with `labswarm hub`. Leave it null for a hub that has a document already."
  type        = string
  default     = null

  validation {
    condition     = var.document == null || can(keys(yamldecode(var.document)))
    error_message = "document (of a cluster) begins with ${jsonencode(substr(coalesce(var.document, "null"), 0, 40))} and is no YAML mapping: give the text of a file that `labswarm hub validate` accepts, or null."
  }

  validation {
    condition     = floor(length(base64encode(coalesce(var.document, "-"))) * 3 / 4) <= 65538
    error_message = "document (of a cluster) has ${floor(length(base64encode(coalesce(var.document, "-"))) * 3 / 4)} bytes, and a document has at most 65536: shorten it."
  }
}

variable "images" {
  description = "The class images."
  type        = list(string)

  validation {
    condition     = length(var.images) > 0
    error_message = "images is empty: name at least one class image, such as quay.io/jupyter/scipy-notebook@sha256:…; a student's server starts from it."
  }
}

variable "chef" {
  description = "The Chef Server's URL, organization, and certificate authority (PEM; null for a public one)."
  type        = object({ url = string, organization = string, ca_pem = string })
}

variable "efs" {
  description = "The file system and access point of the students' homes."
  type        = object({ file_system_id = string, access_point_id = string })
}

variable "prefix" {
  description = "The beginning of the app's names: its parameter Prefix."
  type        = string
  default     = "labswarm"
}

variable "alarm_topic_arns" {
  description = "SNS topics that the hub's alarms notify. Stack cluster's README.md has the command that shows the app's topic."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "More tags for every resource that takes tags."
  type        = map(string)
  default     = {}
}
