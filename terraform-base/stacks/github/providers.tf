provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ application = "labswarm", "labswarm:stack" = "github" }, var.tags)
  }
}
