variable "name" {
  description = "Start of the names of this module's resources."
  type        = string
  default     = "labswarm"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "name (network_name of stack chef) is \"${var.name}\": give 1 to 20 lowercase letters, digits and hyphens, with a letter first and no hyphen last."
  }
}

variable "vpc_cidr" {
  description = "The new VPC's IPv4 block, /16 to /22. Ignored with existing_vpc."
  type        = string
  default     = "10.64.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 0, 0)) && !strcontains(var.vpc_cidr, ":")
    error_message = "vpc_cidr is \"${var.vpc_cidr}\", which is no IPv4 block: write it like 10.64.0.0/16."
  }

  validation {
    condition     = try(cidrsubnet(var.vpc_cidr, 0, 0) == var.vpc_cidr, true)
    error_message = "vpc_cidr is ${var.vpc_cidr}, and its address is not the first of the block: write ${try(cidrsubnet(var.vpc_cidr, 0, 0), "10.64.0.0/16")}."
  }

  validation {
    condition     = try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 22, true)
    error_message = "vpc_cidr is ${var.vpc_cidr}: choose a length from /16, the largest VPC, to /22, the smallest with subnets for a class."
  }

  validation {
    condition     = !anytrue([for range in local.nodes_own : startswith(var.vpc_cidr, range)])
    error_message = "vpc_cidr is ${var.vpc_cidr}: nodes use 10.97.0.0/16 for the Swarm's networks and 172.17.0.0/16 and 172.20.0.0/16 for Docker's, so they could not reach this range; choose another."
  }
}

variable "zones" {
  description = "Names of two or more availability zones for the new VPC, such as [\"eu-west-1a\", \"eu-west-1b\"]. Add further zones at the end. Leave it out with existing_vpc."
  type        = list(string)
  default     = []

  validation {
    condition     = var.existing_vpc != null || length(var.zones) >= 2
    error_message = "zones is ${jsonencode(var.zones)}: name two availability zones or more, so that a class survives the loss of one, or give existing_vpc."
  }

  validation {
    condition     = length(var.zones) <= 8 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones is ${jsonencode(var.zones)}: name each availability zone once, and at most eight."
  }

  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "zones is ${jsonencode(var.zones)}, and one of these is no availability zone: write names like eu-west-1a."
  }
}

variable "egress" {
  description = "How private subnets reach the outside of the VPC. Ignored with existing_vpc. \"nat\": one NAT gateway, $36.50 per month and $0.045 per GB. \"nat_per_zone\": one per zone, at that price each. \"endpoints\": no Internet, only the AWS services of endpoint_services, each $7.30 per month and zone and $0.01 per GB. (us-east-1, 730 hours.)"
  type        = string
  default     = "nat"

  validation {
    condition     = contains(["nat", "nat_per_zone", "endpoints"], var.egress)
    error_message = "egress is \"${var.egress}\": choose \"nat\", \"nat_per_zone\" or \"endpoints\"."
  }
}

variable "endpoint_services" {
  description = "AWS services that get an interface endpoint with egress \"endpoints\" (the part of the service name after the region), each $7.30 per month and zone. S3 and DynamoDB always have free gateways."
  type        = set(string)
  # ssmmessages carries commands and sessions; since agent 3.3.40 ec2messages is not needed. Nothing in a private subnet calls EC2, CloudWatch
  # Logs or ECR. By EventBridge (events) a worker reports that its agent has started; without it the app sees that within the minute.
  default = ["kms", "monitoring", "secretsmanager", "ssm", "ssmmessages"]

  validation {
    condition     = length(setsubtract(["kms", "secretsmanager", "ssm", "ssmmessages"], var.endpoint_services)) == 0
    error_message = "endpoint_services lacks ${join(", ", setsubtract(["kms", "secretsmanager", "ssm", "ssmmessages"], var.endpoint_services))}, without which no node can join: add it."
  }

  validation {
    condition     = length(setintersection(["s3", "dynamodb"], var.endpoint_services)) == 0
    error_message = "endpoint_services has ${join(", ", setintersection(["s3", "dynamodb"], var.endpoint_services))}, which already has a free gateway endpoint: leave it out."
  }
}

variable "existing_vpc" {
  description = "A VPC to use instead of a new one: its id, its private subnets (one per zone, in two zones or more, with a route to the Internet or to endpoints) and its public subnets (for the hub), in the same order of zones. Then the module creates only security groups."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
  default = null

  validation {
    condition     = var.existing_vpc == null || can(regex("^vpc-[0-9a-f]{8,17}$", var.existing_vpc.vpc_id))
    error_message = "existing_vpc.vpc_id is \"${try(var.existing_vpc.vpc_id, "")}\", which is no VPC id: write it like vpc-0123456789abcdef0."
  }

  validation {
    condition     = var.existing_vpc == null || try(length(distinct(var.existing_vpc.private_subnet_ids)) >= 2, false)
    error_message = "existing_vpc.private_subnet_ids is ${jsonencode(try(var.existing_vpc.private_subnet_ids, []))}: give two private subnets or more, each in another availability zone."
  }

  validation {
    condition     = var.existing_vpc == null || try(length(var.existing_vpc.public_subnet_ids) >= 1, false)
    error_message = "existing_vpc.public_subnet_ids is empty: give at least one public subnet, for the hubs."
  }

  validation {
    condition = var.existing_vpc == null || try(alltrue([
      for id in concat(var.existing_vpc.private_subnet_ids, var.existing_vpc.public_subnet_ids) : can(regex("^subnet-[0-9a-f]{8,17}$", id))
    ]), false)
    error_message = "existing_vpc has the subnets ${join(", ", try(concat(var.existing_vpc.private_subnet_ids, var.existing_vpc.public_subnet_ids), []))}, and one of these is no subnet id: write them like subnet-0123456789abcdef0."
  }
}

variable "flow_log_days" {
  description = "The days for which flow logs are kept ($0.50 per GB ingested, $0.03 per GB and month stored)."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_days)
    error_message = "flow_log_days is ${var.flow_log_days}: choose 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 or a longer retention that CloudWatch Logs has."
  }
}

variable "tags" {
  description = "Tags on everything, in addition to the provider's."
  type        = map(string)
  default     = {}
}
