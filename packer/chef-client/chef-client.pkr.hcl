variable "chef_version" {
  description = "The version of chef-client: a whole one, or its beginning for the newest of these."
  type        = string
  default     = "18"

  validation {
    condition     = regex_replace(var.chef_version, "^[0-9]+([.][0-9]+)*$", "ok") == "ok"
    error_message = "The chef_version has to be like 18 or 18.7.10."
  }
}

variable "class_images" {
  description = "The class images that are in the image already, so that a node need not pull them; best by digest."
  type        = list(string)
  default     = []

  validation {
    condition     = regex_replace(join(" ", var.class_images), "^([A-Za-z0-9][A-Za-z0-9._:/@-]*( |$))*$", "ok") == "ok"
    error_message = "The class_images have to be image references such as quay.io/jupyter/scipy-notebook@sha256:…, without spaces or commas."
  }
}

locals {
  image         = "chef-client"
  description   = "labswarm: hub and workers, before chef-client has run"
  newest_ubuntu = "24.04"

  contents = {
    "labswarm:ssm-agent"    = "3.3.2746 or later"
    "labswarm:class-images" = length(var.class_images) == 0 ? "none" : substr(join(" ", var.class_images), 0, 250)
  }
}

build {
  name    = "chef-client"
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
    environment_vars = concat(local.environment, ["CLASS_IMAGES=${join(" ", var.class_images)}"])
    execute_command  = "chmod +x '{{ .Path }}' && sudo env {{ .Vars }} '{{ .Path }}'"

    inline = [
      "install -d /tmp/labswarm && tar -C /tmp/labswarm -xf /tmp/labswarm.tar && cd /tmp/labswarm/packer/scripts",
      "./base.sh",
      "./aws-agents.sh",
      "./efs.sh",
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
