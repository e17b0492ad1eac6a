# Boots an image of ours and brings its programs here to be scanned. Makes no image.

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

  provisioner "shell" {
    inline = [
      "cloud-init status --wait || true",
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
