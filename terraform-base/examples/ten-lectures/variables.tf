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
  description = "The zone under which each hub gets its name, <lecture>.<name>, and where Let's Encrypt writes."
  type        = object({ name = string, zone_id = string, acme_email = string })
}

variable "login" {
  description = "The login of every hub, as in modules/cluster: without an authenticator no hub starts."
  type = object({
    authenticator   = string
    admins          = optional(list(string), [])
    conf            = optional(map(string), {})
    python_packages = optional(list(string), [])
  })
}

variable "lectures" {
  description = "The lectures, by cluster name. Missing fields are as in modules/cluster. Deleting a lecture here destroys its cluster and nothing else. Apply its delete_homes_on_destroy = true before."
  type = map(object({
    images         = optional(list(string), ["quay.io/jupyter/scipy-notebook:2025-03-14"])
    seat           = optional(object({ memory_mib = number, cpu = number }), { memory_mib = 1024, cpu = 0.25 })
    instance_types = optional(list(string), ["m7i.large", "m6i.large", "m5.large", "m6a.large"])
    max_nodes      = optional(number, 10)
    timetable      = optional(string)

    delete_homes_on_destroy = optional(bool, false)
  }))

  default = {
    algorithms    = { max_nodes = 40 }
    astronomy     = {}
    biology       = {}
    chemistry     = {}
    databases     = { images = ["quay.io/jupyter/datascience-notebook:2025-03-14"] }
    econometrics  = { images = ["quay.io/jupyter/r-notebook:2025-03-14"] }
    genomics      = { seat = { memory_mib = 8192, cpu = 1 }, instance_types = ["r7i.xlarge", "r6i.xlarge", "r5.xlarge"] }
    linguistics   = {}
    mechanics     = { timetable = "https://calendar.example.edu/labs/mechanics.ics" }
    statistics101 = { max_nodes = 60 }
  }
}

variable "delete_backups_on_destroy" {
  description = "Whether a destroy deletes the Chef Server's backups as well. While false, the destroy stops at their bucket."
  type        = bool
  default     = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms notify: the app's topic labswarm-alarms, once it is deployed."
  type        = list(string)
  default     = []
}
