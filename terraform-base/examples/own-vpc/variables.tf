variable "region" {
  description = "The AWS region, where the images are."
  type        = string
  default     = "eu-west-1"
}

variable "images" {
  description = "The images of `packer build`, by purpose. Operators upload cookbooks from the workstation. Without one they need another place with knife."
  type        = object({ chef_server = string, hub = string, worker = string, workstation = optional(string) })
}

variable "vpc" {
  description = "Your VPC: private subnets (one per zone, with a route to the Internet) and public subnets, in the same order of zones."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
}

variable "campus_cidrs" {
  description = "The IPv4 CIDR blocks from which students reach the hub."
  type        = list(string)
  default     = ["192.0.2.0/24"]
}

variable "domain" {
  description = "The hub's DNS name, and the secret with your certificate for it: JSON {certificate, key}, both PEM."
  type        = object({ name = string, certificate_secret_arn = string })
}

variable "login" {
  description = "The login, as in modules/cluster: without an authenticator no hub starts."
  type = object({
    authenticator   = string
    admins          = optional(list(string), [])
    conf            = optional(map(string), {})
    python_packages = optional(list(string), [])
  })
}

variable "delete_backups_on_destroy" {
  description = "Whether a destroy deletes the Chef Server's backups as well. While false, the destroy stops at their bucket."
  type        = bool
  default     = false
}

variable "delete_homes_on_destroy" {
  description = "Whether the homes may be deleted. While false, a destroy stops before it touches the cluster."
  type        = bool
  default     = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms notify: the app's topic labswarm-alarms, once it is deployed."
  type        = list(string)
  default     = []
}
