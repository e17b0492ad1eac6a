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
  description = "The account that this is for: with another's credentials nothing is done. Any account if left out."
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
  description = "Addresses of the VPC that is made (IPv4, /16 to /22); not looked at with existing_vpc."
  type        = string
  default     = "10.64.0.0/16"
}

variable "zones" {
  description = "Names of two or more availability zones for the VPC that is made, such as [\"eu-west-1a\", \"eu-west-1b\"]; a further one is added at the end. Leave out with existing_vpc."
  type        = list(string)
  default     = []
}

variable "egress" {
  description = "How private subnets reach what is outside the VPC; not looked at with existing_vpc. \"nat\": one NAT gateway, $36.50 a month and $0.045 a GB. \"nat_per_zone\": one in each zone, that much each. \"endpoints\": no Internet, only the AWS services of endpoint_services, each $7.30 a month and zone and $0.01 a GB. (us-east-1, 730 hours.)"
  type        = string
  default     = "nat"
}

variable "endpoint_services" {
  description = "AWS services that get an interface endpoint with egress \"endpoints\" (the part of the service name after the region), each $7.30 a month and zone. S3 and DynamoDB have free gateways in any case."
  type        = set(string)
  # ssmmessages carries commands and sessions; since agent 3.3.40 ec2messages is not needed. Nothing in a private subnet calls EC2, EventBridge,
  # CloudWatch Logs or ECR.
  default = ["kms", "monitoring", "secretsmanager", "ssm", "ssmmessages"]
}

variable "existing_vpc" {
  description = "A VPC to use in place of one of its own: its id, its private subnets (one a zone, two zones or more, with a way out) and its public ones (for the hub), in the same order of zones. Only security groups are then made."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
  default = null
}

variable "flow_log_days" {
  description = "For how many days flow logs are kept ($0.50 a GB taken in, $0.03 a GB and month kept)."
  type        = number
  default     = 90
}

variable "chef_server_ami" {
  description = "The Chef Server's image (x86_64). The README lists its contents."
  type        = string
}

variable "chef_server_instance_type" {
  description = "The server's instance type: x86_64, 2 vCPU and 8 GiB or more. t3.large is $60.74 a month in us-east-1."
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
  description = "A public name for the server in a Route 53 zone, for certificates from Let's Encrypt (it needs egress to the Internet). Without one the server is chef.labswarm.internal and its own certificate authority."
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
  description = "Size of the data volume in GiB ($0.08 a GiB and month). A thousand nodes and their cookbooks are under 5 GiB; a backup needs as much again while it is made."
  type        = number
  default     = 30
}

variable "backup_hour_utc" {
  description = "The hour (UTC, 0-23) of the nightly backup, during which the server is offline for some minutes: choose one without classes."
  type        = number
  default     = 2
}

variable "backup_days" {
  description = "For how many days a backup is kept ($0.023 a GB and month)."
  type        = number
  default     = 35
}

variable "delete_backups_on_destroy" {
  description = "Whether a destroy deletes the backups as well. While false it stops at the bucket, if that is not empty."
  type        = bool
  default     = false
}

variable "workstation" {
  description = "An instance to work with Chef from, by sessions of Systems Manager: its image and type (t3.small is $15.18 a month; stop it when it is not used). None if left out."
  type = object({
    ami           = string
    instance_type = optional(string, "t3.small")
  })
  default = null
}

variable "app_stack_name" {
  description = "The name under which `sam deploy` makes the app: only this stack's Chef functions may sign as the server's admin."
  type        = string
  default     = "labswarm"
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms tell."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags on everything, in addition to application and labswarm:stack."
  type        = map(string)
  default     = {}
}
