# The image of hub and workers without AWS: the same scripts less the two that install AWS's agents. See docs/explanation/other-providers.md.

packer {
  required_version = ">= 1.9"

  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = "~> 1.1"
    }
  }
}

variable "ubuntu" {
  description = "The Ubuntu LTS release that the image is made of."
  type        = string
  default     = "24.04"

  validation {
    condition     = contains(["22.04", "24.04"], var.ubuntu)
    error_message = "The ubuntu has to be 24.04 (current LTS) or 22.04."
  }
}

variable "image_checksum" {
  description = "The checksum of Ubuntu's image, as sha256:… or file:URL; empty for Ubuntu's own list of them."
  type        = string
  default     = ""
}

variable "public_key" {
  description = "The public half of an SSH key made for this build, as it stands in its .pub file. It is not in the finished image."
  type        = string

  validation {
    condition     = regex_replace(var.public_key, "^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]+( [^\n]*)?$", "ok") == "ok"
    error_message = "The public_key has to be one line, such as the content of an id_ed25519.pub."
  }
}

variable "private_key_file" {
  description = "The file with the private half."
  type        = string
}

variable "accelerator" {
  description = "How QEMU runs the machine: `kvm`, or `tcg` where there is no virtualization, which takes ten times as long."
  type        = string
  default     = "kvm"

  validation {
    condition     = contains(["kvm", "tcg"], var.accelerator)
    error_message = "The accelerator has to be kvm or tcg."
  }
}

variable "volume_gib" {
  description = "The size of the disk (GiB)."
  type        = number
  default     = 20

  validation {
    condition     = var.volume_gib >= 10 && floor(var.volume_gib) == var.volume_gib
    error_message = "The volume_gib has to be a whole number, at least 10."
  }
}

variable "class_images" {
  description = "The class images that are in the image already; best by digest."
  type        = list(string)
  default     = []

  validation {
    condition     = regex_replace(join(" ", var.class_images), "^([A-Za-z0-9][A-Za-z0-9._:/@-]*( |$))*$", "ok") == "ok"
    error_message = "The class_images have to be image references such as quay.io/jupyter/scipy-notebook@sha256:…, without spaces or commas."
  }
}

variable "chef_version" {
  description = "The version of Cinc's chef-client: a whole one, or its beginning for the newest of these."
  type        = string
  default     = "18"

  validation {
    condition     = regex_replace(var.chef_version, "^[0-9]+([.][0-9]+)*$", "ok") == "ok"
    error_message = "The chef_version has to be like 18 or 18.7.10."
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

locals {
  cloud_images = "https://cloud-images.ubuntu.com/releases/${var.ubuntu}/release"
}

source "qemu" "ubuntu" {
  # Ubuntu's own image, which cloud-init sets up: https://cloud-images.ubuntu.com/
  iso_url          = "${local.cloud_images}/ubuntu-${var.ubuntu}-server-cloudimg-amd64.img"
  iso_checksum     = var.image_checksum == "" ? "file:${local.cloud_images}/SHA256SUMS" : var.image_checksum
  disk_image       = true
  disk_size        = "${var.volume_gib * 1024}M"
  format           = "qcow2"
  disk_compression = true

  vm_name          = "chef-client.qcow2"
  output_directory = "${path.root}/output"

  accelerator = var.accelerator
  headless    = true
  qemuargs = [
    ["-m", "4096"],
    ["-smp", "2"],
    ["-smbios", "type=1,serial=ds=nocloud;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/"],
  ]

  http_content = {
    "/meta-data" = "instance-id: packer\n"
    "/user-data" = "#cloud-config\nssh_authorized_keys:\n  - ${var.public_key}\n"
  }

  communicator              = "ssh"
  ssh_username              = "ubuntu"
  ssh_private_key_file      = var.private_key_file
  ssh_timeout               = "20m"
  ssh_clear_authorized_keys = true
  shutdown_command          = "sudo shutdown -P now"
}

build {
  name    = "chef-client-qemu"
  sources = ["source.qemu.ubuntu"]

  provisioner "shell-local" {
    inline = ["git -C '${path.root}/../..' archive --output='${path.root}/source.tar' '${var.commit}' $(cat '${path.root}/sources')"]
  }

  provisioner "file" {
    source      = "${path.root}/source.tar"
    destination = "/tmp/labswarm.tar"
    generated   = true
  }

  provisioner "shell" {
    environment_vars = [
      "CHEF_FLAVOUR=cinc",
      "CHEF_VERSION=${var.chef_version}",
      "CLASS_IMAGES=${join(" ", var.class_images)}",
      "COMMIT=${var.commit}",
      "IMAGE=chef-client",
      "PROVIDER=none",
    ]
    execute_command = "chmod +x '{{ .Path }}' && sudo env {{ .Vars }} '{{ .Path }}'"

    inline = [
      "install -d /tmp/labswarm && tar -C /tmp/labswarm -xf /tmp/labswarm.tar && cd /tmp/labswarm/packer/scripts",
      "./base.sh",
      "./docker.sh",
      "./class-images.sh",
      "./node-tools.sh",
      "./chef.sh client",
      "../../cookbooks/install.sh",
      "./seal.sh",
      "../chef-client/verify.sh",
      "cd / && rm -rf /tmp/labswarm /tmp/labswarm.tar",
    ]
  }
}
