# The identity as which the app's functions make and remove Chef clients. The private half is made in KMS and no interface gives it out:
# it can be used, by those named here, and never copied. The server registers the public half for its user `labswarm`.

locals {
  # CloudFormation names a function's role after its stack and the function, and ends the name with characters of its own.
  signers = ["arn:${local.partition}:iam::${local.account}:role/${var.app_stack_name}-ChefFunctionRole-*"]
}

resource "aws_kms_key" "admin" {
  description              = "Signs as the Chef Server's admin identity"
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 30
  tags                     = merge(var.tags, { Name = "labswarm-chef-admin" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Everything but to sign: an administrator of the account cannot act as the Chef Server's admin.
        Sid       = "AdministrationByTheAccountsOwnPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Resource  = "*"
        Action = [
          "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
          "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:ListAliases", "kms:ListKeyPolicies",
          "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
          "kms:UpdateAlias", "kms:UpdateKeyDescription",
        ]
      },
      {
        # They need a permission of their own as well, which the app's template gives them.
        Sid       = "ChefFunctionsSign"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:Sign"
        Resource  = "*"
        Condition = {
          ArnLike      = { "aws:PrincipalArn" = local.signers }
          StringEquals = { "kms:SigningAlgorithm" = "RSASSA_PKCS1_V1_5_SHA_256" }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "admin" {
  name          = "alias/labswarm-chef-admin"
  target_key_id = aws_kms_key.admin.key_id
}
