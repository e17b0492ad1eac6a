variable "chef_version" {
  description = "The version of Chef Workstation: a whole one, or its beginning for the newest of these."
  type        = string
  default     = "25"

  validation {
    condition     = regex_replace(var.chef_version, "^[0-9]+([.][0-9]+)*$", "ok") == "ok"
    error_message = "The chef_version has to be like 25 or 25.2.1075."
  }
}

locals {
  image         = "chef-workstation"
  description   = "labswarm: Chef Workstation, for an operator to upload cookbooks from"
  newest_ubuntu = "24.04"

  contents = {
    "labswarm:ssm-agent" = "3.3.2746 or later"
  }
}

build {
  name    = "chef-workstation"
  sources = ["source.amazon-ebs.ubuntu"]

  # Git's files of the paths in the file `sources`. The workflow `images` builds again when one of them changes.
  provisioner "shell-local" {
    inline = ["git -C '${path.root}/../..' archive --output='${path.root}/source.tar' '${var.commit}' $(cat '${path.root}/sources')"]
  }

  provisioner "file" {
    source      = "${path.root}/source.tar"
    destination = "/tmp/labswarm.tar"
    generated   = true
  }

  provisioner "shell" {
    environment_vars = local.environment
    execute_command  = "chmod +x '{{ .Path }}' && sudo env {{ .Vars }} '{{ .Path }}'"

    inline = [
      "install -d /tmp/labswarm && tar -C /tmp/labswarm -xf /tmp/labswarm.tar && cd /tmp/labswarm/packer/scripts",
      "./base.sh",
      "./aws-agents.sh",
      "./aws-cli.sh",
      "./chef.sh workstation",
      "./first-start.sh chef-workstation",
      "./seal.sh",
      "../chef-workstation/verify.sh",
      "cd / && rm -rf /tmp/labswarm /tmp/labswarm.tar",
    ]
  }

  # The versions that were found, next to the list of the built images.
  provisioner "file" {
    direction   = "download"
    source      = "/etc/labswarm/image.json"
    destination = "${path.root}/image.json"
  }

  post-processor "manifest" {
    output = "${path.root}/manifest.json"
  }
}
