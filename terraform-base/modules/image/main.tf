# Asks for a list, which may be empty. For a single image that is gone the provider has an error, and then neither plan nor destroy works:
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/ami
data "aws_ami_ids" "image" {
  owners             = var.owners
  include_deprecated = true # an image is deprecated after some weeks, and remains in use

  filter {
    name   = "image-id"
    values = [var.ami]
  }
}

data "aws_ami" "image" {
  count = length(data.aws_ami_ids.image.ids)

  owners             = var.owners
  include_deprecated = true

  filter {
    name   = "image-id"
    values = [var.ami]
  }
}

locals {
  image = one(data.aws_ami.image)
}

# A warning: instances that run do not need their image, and a cluster without it has to remain plannable and destroyable.
check "image" {
  assert {
    condition     = local.image != null
    error_message = "${var.argument} is \"${var.ami}\", and ${join(", ", var.owners)} owns no such image: no further instance can start from it. Give an image that exists, or add its owner's account to image_owners."
  }
}
