# Starts an image of ours, looks whether its services run and its InSpec profiles hold, and brings its programs here to be scanned.
# Makes no image.

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
  description = "The region that the image is in."
  type        = string
}

variable "ami" {
  description = "The image."
  type        = string
}

variable "image" {
  description = "Which of our images it is."
  type        = string

  validation {
    condition     = contains(["chef-client", "chef-server", "chef-workstation"], var.image)
    error_message = "The image has to be chef-client, chef-server or chef-workstation."
  }
}

variable "chef" {
  description = "The flavour and version of its Chef, as the image's tag labswarm:chef has them, such as `cinc 18`."
  type        = string

  validation {
    condition     = regex_replace(var.chef, "^(cinc|chef) [0-9]+([.][0-9]+)*$", "ok") == "ok"
    error_message = "The chef has to be like cinc 18."
  }
}

variable "commit" {
  description = "The commit that it was built from."
  type        = string
  default     = "HEAD"
}

locals {
  chef = split(" ", var.chef)
}

source "amazon-ebs" "image" {
  region          = var.region
  source_ami      = var.ami
  instance_type   = "t3.large"
  skip_create_ami = true
  ami_name        = "labswarm-scan-of-${var.ami}"

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  communicator                = "ssh"
  ssh_username                = "ubuntu"
  associate_public_ip_address = true

  run_tags = { "Name" = "packer labswarm-scan" }
}

build {
  name    = "scan"
  sources = ["source.amazon-ebs.image"]

  provisioner "file" {
    source      = "${path.root}/../../packer"
    destination = "/tmp/packer"
  }

  provisioner "file" {
    source      = "${path.root}/../../cookbooks/labswarm_worker/test/data/ground.json"
    destination = "/tmp/ground.json"
  }

  provisioner "shell" {
    environment_vars = [
      "BOOTED=true",
      "CHEF_FLAVOUR=${local.chef[0]}",
      "CHEF_VERSION=${local.chef[1]}",
      "COMMIT=${var.commit}",
      "IMAGE=${var.image}",
    ]
    execute_command = "chmod +x '{{ .Path }}' && sudo env {{ .Vars }} '{{ .Path }}'"

    inline = [
      # verify.sh finds the failures of the first start.
      "cloud-init status --wait || true",
      "/tmp/packer/${var.image}/verify.sh",
    ]
  }

  # A worker's profile is about a worker: the image becomes one, by its own cookbooks, without a Chef Server. SSH stays, for Packer.
  provisioner "shell" {
    inline = [
      "[ '${var.image}' = chef-client ] || exit 0",
      "sudo install -D -m 644 /tmp/ground.json /etc/labswarm/ground.json",
      "echo '{\"labswarm_base\": {\"ssh\": true, \"metrics\": false}}' | sudo tee /etc/labswarm/attributes.json",
      "sudo labswarm-local-converge 'role[worker]'",
    ]
  }

  provisioner "shell-local" {
    environment_vars = [
      "IMAGE=${var.image}",
      "TARGET=ssh://${build.User}@${build.Host}",
      "SSH_KEY=${build.SSHPrivateKey}",
    ]
    script = "${path.root}/inspect.sh"
  }

  provisioner "shell" {
    inline = [
      "sudo tar -C / --one-file-system -czf /var/tmp/root.tar.gz etc/os-release usr opt var/lib/dpkg",
      "sudo chmod 644 /var/tmp/root.tar.gz",
    ]
  }

  provisioner "file" {
    direction   = "download"
    source      = "/var/tmp/root.tar.gz"
    destination = "${path.root}/root.tar.gz"
  }
}
