variable "name" {
  description = "The role's name; the region is added to it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,48}$", var.name))
    error_message = "name is \"${var.name}\": give 1 to 48 letters, digits and + = , . @ _ -, for the region is added to it and IAM takes 64."
  }
}

variable "description" {
  description = "The role's purpose."
  type        = string
}

variable "statements" {
  description = "These instances' permissions besides Systems Manager: IAM statements."
  type        = any
}

variable "tags" {
  description = "Tags for every resource that takes tags."
  type        = map(string)
  default     = {}
}
