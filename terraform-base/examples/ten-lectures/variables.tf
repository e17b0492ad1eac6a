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
  description = "The zone under which each hub gets its name, <lecture>.<name>, and where Let's Encrypt writes."
  type        = object({ name = string, zone_id = string, acme_email = string })
}

variable "lectures" {
  description = "The lectures, by cluster name. What is left out is as modules/cluster has it. A lecture that is deleted here takes its cluster with it, and nothing else."
  type = map(object({
    images         = optional(list(string), ["quay.io/jupyter/scipy-notebook:2025-03-14"])
    seat           = optional(object({ memory_mib = number, cpu = number }), { memory_mib = 1024, cpu = 0.25 })
    instance_types = optional(list(string), ["m7i.large", "m6i.large", "m5.large", "m6a.large"])
    max_nodes      = optional(number, 10)
    timetable      = optional(string)
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
