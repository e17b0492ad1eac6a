variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "images" {
  description = "The images of `packer build`, by what they are for."
  type        = object({ chef_server = string, hub = string, worker = string })
}

variable "domain" {
  description = "The hub's DNS name, its Route 53 zone, and where Let's Encrypt writes; null for a trial without one."
  type        = object({ name = string, zone_id = string, acme_email = string })
  default     = null
}
