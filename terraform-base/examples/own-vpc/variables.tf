variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "images" {
  description = "The images of `packer build`, by what they are for."
  type        = object({ chef_server = string, hub = string, worker = string })
}

variable "vpc" {
  description = "Your VPC: private subnets (one a zone, with a way out) and public ones, in the same order of zones."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
}

variable "campus_cidrs" {
  description = "From where students reach the hub."
  type        = list(string)
  default     = ["192.0.2.0/24"]
}

variable "domain" {
  description = "The hub's DNS name, and the secret with your certificate for it: JSON {certificate, key}, both PEM."
  type        = object({ name = string, certificate_secret_arn = string })
}
