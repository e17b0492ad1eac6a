variable "region" {
  description = "The AWS region, where the images are."
  type        = string
  default     = "eu-west-1"
}

variable "zones" {
  description = "Two availability zones of that region or more, such as `aws ec2 describe-availability-zones` names them to you: not every account has an \"a\" and a \"b\"."
  type        = list(string)
  default     = ["eu-west-1a", "eu-west-1b"]
}

variable "images" {
  description = "The images of `packer build`, by purpose. Operators upload cookbooks from the workstation. Without one they need another place with knife."
  type        = object({ chef_server = string, hub = string, worker = string, workstation = optional(string) })
}

variable "domain" {
  description = "The hub's DNS name, its Route 53 zone, and where Let's Encrypt writes; null for a trial without one."
  type        = object({ name = string, zone_id = string, acme_email = string })
  default     = null
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
