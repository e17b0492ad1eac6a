variable "ami" {
  description = "The image's id."
  type        = string

  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami))
    error_message = "${var.argument} is \"${var.ami}\": give an image's id, such as ami-0123456789abcdef0."
  }
}

variable "argument" {
  description = "The name under which the operator gives this image, such as hub_ami. Messages use it."
  type        = string
}

variable "owners" {
  description = "Accounts whose images may be used: `self`, and the ids of accounts that share theirs."
  type        = list(string)
}
