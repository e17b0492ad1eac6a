variable "chef_version" {
  description = "The version of the Chef Infra Server: a whole one, or its beginning for the newest of these."
  type        = string
  default     = "15"

  validation {
    condition     = regex_replace(var.chef_version, "^[0-9]+([.][0-9]+)*$", "ok") == "ok"
    error_message = "The chef_version has to be like 15 or 15.10.91."
  }
}

locals {
  image       = "chef-server"
  description = "labswarm: the Chef Server, which sets itself up at its first start"

  # The newest that https://docs.chef.io/platforms/ lists for the server.
  newest_ubuntu = "22.04"

  contents = {
    "labswarm:ssm-agent" = "3.3.2746 or later"
  }
}

build {
  name    = "chef-server"
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
      "./chef.sh server",
      "./first-start.sh chef-server",
      "./seal.sh",
      "../chef-server/verify.sh",
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
