# The part that all images share: each image's folder has a link to this file.

packer {
  required_version = ">= 1.9"

  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.3"
    }
  }
}

variable "region" {
  description = "The region in which the image is built and kept."
  type        = string

  validation {
    condition     = regex_replace(var.region, "^[a-z]{2}(-[a-z]+)+-[0-9]$", "ok") == "ok"
    error_message = "The region has to be one of AWS, such as eu-west-1."
  }
}

variable "ubuntu" {
  description = "The Ubuntu LTS release that the image is made of; empty for the newest that upstream lists for the image's program."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "22.04", "24.04"], var.ubuntu)
    error_message = "The ubuntu has to be 24.04 (current LTS) or 22.04."
  }
}

variable "ubuntu_owner" {
  description = "The account that publishes Ubuntu's images: Canonical's, another one in the China and GovCloud regions."
  type        = string
  default     = "099720109477"

  validation {
    condition     = regex_replace(var.ubuntu_owner, "^[0-9]{12}$", "ok") == "ok"
    error_message = "The ubuntu_owner has to be an account number of 12 digits."
  }
}

variable "instance_type" {
  description = "The type of the instance that the image is built on (x86_64)."
  type        = string
  default     = "t3.large"
}

variable "volume_gib" {
  description = "The size of the root volume (GiB): the least that an instance of the image can have."
  type        = number
  default     = 20

  validation {
    condition     = var.volume_gib >= 10 && floor(var.volume_gib) == var.volume_gib
    error_message = "The volume_gib has to be a whole number, at least 10."
  }
}

variable "kms_key" {
  description = "The KMS key that encrypts the image (id, ARN or alias); empty for the account's own key for EBS."
  type        = string
  default     = ""
}

variable "share_with" {
  description = "Accounts (12 digits) that may start the image, and the ARN of the KMS key of your own that encrypts it: AWS shares nothing that its own key for EBS encrypts."
  type = object({
    accounts = list(string)
    kms_key  = string
  })
  default = {
    accounts = []
    kms_key  = ""
  }

  validation {
    condition     = regex_replace(join(" ", var.share_with.accounts), "^([0-9]{12}( |$))*$", "ok") == "ok"
    error_message = "The share_with.accounts have to be account numbers of 12 digits."
  }

  validation {
    condition     = length(var.share_with.accounts) == 0 || regex_replace(var.share_with.kms_key, "^arn:aws[a-z-]*:kms:.+$", "ok") == "ok"
    error_message = "The share_with.kms_key has to be the ARN of a KMS key of your own: an image under AWS's own key for EBS cannot be shared."
  }
}

variable "subnet_id" {
  description = "The subnet to build in, with a way out to the internet; empty for the default VPC's."
  type        = string
  default     = ""

  validation {
    condition     = regex_replace(var.subnet_id, "^(subnet-[0-9a-f]+)?$", "ok") == "ok"
    error_message = "The subnet_id has to be like subnet-0123abcd, or empty."
  }
}

variable "session_manager" {
  description = "Whether to reach the instance through SSM's Session Manager, so that no port is open and no public address is needed; instance_profile is wanted then."
  type        = bool
  default     = false
}

variable "instance_profile" {
  description = "The instance profile of the instance that the image is built on; empty for none."
  type        = string
  default     = ""
}

variable "deprecate_after_days" {
  description = "After how many days the image no longer shows in lists. Running instances go on, and a monthly build comes before."
  type        = number
  default     = 60

  validation {
    condition     = var.deprecate_after_days >= 1 && floor(var.deprecate_after_days) == var.deprecate_after_days
    error_message = "The deprecate_after_days has to be a whole number of days, at least 1."
  }
}

variable "commit" {
  description = "The commit of this repository that the image is built from."
  type        = string
  default     = "HEAD"

  validation {
    condition     = regex_replace(var.commit, "^[A-Za-z0-9][A-Za-z0-9._/-]*$", "ok") == "ok"
    error_message = "The commit has to be a name that git knows."
  }
}

variable "chef_flavour" {
  description = "Which Chef: `cinc`, the free distribution, or `chef`, Progress's own."
  type        = string
  default     = "cinc"

  validation {
    condition     = contains(["cinc", "chef"], var.chef_flavour)
    error_message = "The chef_flavour has to be cinc or chef."
  }
}

variable "chef_license_id" {
  description = "With chef_flavour `chef`: your licence id, without which Progress gives no download; giving it accepts the licence."
  type        = string
  default     = ""
  sensitive   = true
}

locals {
  ubuntu   = var.ubuntu == "" ? local.newest_ubuntu : var.ubuntu
  kms_key  = var.share_with.kms_key == "" ? var.kms_key : var.share_with.kms_key
  built_at = timestamp()
  stamp    = formatdate("YYYYMMDD-hhmmss", local.built_at)

  # The environment of every provisioner.
  environment = [
    "CHEF_FLAVOUR=${var.chef_flavour}",
    "CHEF_VERSION=${var.chef_version}",
    "CHEF_LICENSE_ID=${var.chef_license_id}",
    "COMMIT=${var.commit}",
    "IMAGE=${local.image}",
    "REGION=${var.region}",
    "SESSION_MANAGER=${var.session_manager}",
  ]

  tags = merge({
    "Name"                  = "labswarm-${local.image}-${local.stamp}"
    "labswarm:image"        = local.image
    "labswarm:commit"       = var.commit
    "labswarm:built-at"     = local.built_at
    "labswarm:ubuntu"       = local.ubuntu
    "labswarm:chef"         = "${var.chef_flavour} ${var.chef_version}"
    "labswarm:source-image" = "{{ .SourceAMIName }}"
  }, local.contents)
}

source "amazon-ebs" "ubuntu" {
  region        = var.region
  instance_type = var.instance_type

  source_ami_filter {
    most_recent = true
    owners      = [var.ubuntu_owner]
    filters = {
      name                = "ubuntu/images/hvm-ssd*/ubuntu-*-${local.ubuntu}-amd64-server-*"
      architecture        = "x86_64"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  ami_name        = "labswarm-${local.image}-${local.stamp}"
  ami_description = local.description
  deprecate_at    = timeadd(local.built_at, "${var.deprecate_after_days * 24}h")
  ena_support     = true
  imds_support    = "v2.0"
  ami_users       = var.share_with.accounts
  snapshot_users  = var.share_with.accounts

  launch_block_device_mappings {
    device_name           = "/dev/sda1"
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 125
    volume_size           = var.volume_gib
    encrypted             = true
    kms_key_id            = local.kms_key
    delete_on_termination = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  subnet_id            = var.subnet_id
  iam_instance_profile = var.instance_profile

  communicator                = "ssh"
  ssh_username                = "ubuntu"
  ssh_interface               = var.session_manager ? "session_manager" : ""
  ssh_clear_authorized_keys   = true
  associate_public_ip_address = var.session_manager ? false : true

  tags          = local.tags
  snapshot_tags = local.tags
  run_tags      = { "Name" = "packer labswarm-${local.image}" }
}
