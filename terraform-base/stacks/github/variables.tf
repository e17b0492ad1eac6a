variable "region" {
  description = "The region of the stacks, the images and the app. The roles may work in this region only."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\": give an AWS region such as eu-west-1."
  }
}

variable "repository" {
  description = "The repository whose workflows get the roles, as <owner>/<name>."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", var.repository))
    error_message = "repository is \"${var.repository}\": give <owner>/<name>, such as physics/labswarm. Wildcards would let other repositories in."
  }
}

variable "prefix" {
  description = "The beginning of the app's names: its parameter Prefix. The roles may change this app and its clusters only."
  type        = string
  default     = "labswarm"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,14}$", var.prefix))
    error_message = "prefix is \"${var.prefix}\": give 1 to 15 lowercase letters and digits, with a letter first."
  }
}

variable "branch" {
  description = "The branch from which workflows build images, apply Terraform and deploy the app. Plans may come from any branch."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.branch))
    error_message = "branch is \"${var.branch}\": give one branch's name, such as main, without wildcards."
  }
}

variable "state_bucket" {
  description = "The bucket of Terraform's states."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket is \"${var.state_bucket}\": give a bucket's name, such as labswarm-state-123456789012."
  }
}

variable "provider_arn" {
  description = "The ARN of GitHub's identity provider, if the account has it: an account has it once. null: this stack creates it."
  type        = string
  default     = null

  validation {
    condition     = var.provider_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.provider_arn))
    error_message = "provider_arn is \"${coalesce(var.provider_arn, "null")}\": give arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com, or null."
  }
}

variable "tags" {
  description = "Tags on everything, next to application and labswarm:stack."
  type        = map(string)
  default     = {}
}
