# A module validates its variables of the same name.

variable "region" {
  description = "The AWS region, such as eu-west-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\": give an AWS region such as eu-west-1."
  }

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "region is ${var.region}, and zones is ${jsonencode(var.zones)}: give zones of this region."
  }
}

variable "account_id" {
  description = "The only account in which Terraform may work. Any account if left out."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is \"${coalesce(var.account_id, "null")}\": give 12 digits, in quotes so that a leading zero stays."
  }
}

variable "network_name" {
  description = "Start of the names of the VPC, its parts and its security groups."
  type        = string
  default     = "labswarm"
}

variable "vpc_cidr" {
  description = "The new VPC's IPv4 block, /16 to /22. Ignored with existing_vpc."
  type        = string
  default     = "10.64.0.0/16"
}

variable "zones" {
  description = "Names of two or more availability zones for the new VPC, such as [\"eu-west-1a\", \"eu-west-1b\"]. Add further zones at the end. Leave it out with existing_vpc."
  type        = list(string)
  default     = []
}

variable "egress" {
  description = "How private subnets reach the outside of the VPC. Ignored with existing_vpc. \"nat\": one NAT gateway, $36.50 per month and $0.045 per GB. \"nat_per_zone\": one per zone, at that price each. \"endpoints\": no Internet, only the AWS services of endpoint_services, each $7.30 per month and zone and $0.01 per GB. (us-east-1, 730 hours.)"
  type        = string
  default     = "nat"
}

variable "endpoint_services" {
  description = "AWS services that get an interface endpoint with egress \"endpoints\" (the part of the service name after the region), each $7.30 per month and zone. S3 and DynamoDB always have free gateways."
  type        = set(string)
  # ssmmessages carries commands and sessions; since agent 3.3.40 ec2messages is not needed. Nothing in a private subnet calls EC2, EventBridge,
  # CloudWatch Logs or ECR.
  default = ["kms", "monitoring", "secretsmanager", "ssm", "ssmmessages"]
}

variable "existing_vpc" {
  description = "A VPC to use instead of a new one: its id, its private subnets (one per zone, in two zones or more, with a route to the Internet or to endpoints) and its public subnets (for the hub), in the same order of zones. Then the module creates only security groups."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
  default = null
}

variable "flow_log_days" {
  description = "The days for which flow logs are kept ($0.50 per GB ingested, $0.03 per GB and month stored)."
  type        = number
  default     = 90
}

variable "chef_server_ami" {
  description = "The Chef Server's image (x86_64). The README lists its contents."
  type        = string
}

variable "chef_server_instance_type" {
  description = "The server's instance type: x86_64, 2 vCPU and 8 GiB or more. t3.large is $60.74 per month in us-east-1."
  type        = string
  default     = "t3.large"
}

variable "chef_server_private_ip" {
  description = "The server's address in its subnet. If left out, AWS chooses one, which stays as long as the server."
  type        = string
  default     = null
}

variable "organization" {
  description = "The Chef organization of all clusters' nodes."
  type        = string
  default     = "labswarm"
}

variable "domain" {
  description = "A public name for the server in a Route 53 zone, for certificates from Let's Encrypt, which need egress to the Internet. Without it the server is chef.labswarm.internal and has its own certificate authority."
  type = object({
    name    = string
    zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || var.existing_vpc != null || var.egress != "endpoints"
    error_message = "domain is ${try(var.domain.name, "null")} and egress is \"endpoints\", with which the server cannot reach Let's Encrypt: choose another egress, or leave domain out."
  }
}

variable "data_volume_gib" {
  description = "Size of the data volume in GiB ($0.08 per GiB and month). A thousand nodes and their cookbooks take less than 5 GiB. A backup needs the same again while it runs."
  type        = number
  default     = 30
}

variable "backup_hour_utc" {
  description = "The hour (UTC, 0-23) of the nightly backup. The server is offline for some minutes then: choose an hour without classes."
  type        = number
  default     = 2
}

variable "backup_days" {
  description = "The days for which a backup is kept ($0.023 per GB and month)."
  type        = number
  default     = 35
}

variable "delete_backups_on_destroy" {
  description = "Whether a destroy deletes the backups as well. While false, the destroy stops at a bucket that has backups."
  type        = bool
  default     = false
}

variable "workstation" {
  description = "An instance from which operators work with Chef, in sessions of Systems Manager: its image and type. t3.small is $15.18 per month; stop it when you do not use it. No instance if left out."
  type = object({
    ami           = string
    instance_type = optional(string, "t3.small")
  })
  default = null
}

variable "app_stack_name" {
  description = "The name of the app's stack. Only its Chef functions may sign as the server's admin."
  type        = string
  default     = "labswarm"
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms notify. Stack chef's README.md has the command that shows the app's topic."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags on everything, in addition to application and labswarm:stack."
  type        = map(string)
  default     = {}
}
