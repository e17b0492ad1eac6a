# The server's name and certificate.
#
# Without a domain of one's own the server makes its own authority at its first start, on its data volume, and publishes the authority's
# certificate (which is no secret) in a parameter. That needs nothing else: an authority made by Terraform would leave
# its private key in the state, AWS's Private CA is $400 per month, and Let's Encrypt needs a public domain. If you have
# one, give it as `domain`: the server then gets its certificates from Let's Encrypt, and clients need no authority.

locals {
  ca_parameter = "/labswarm/chef/ca_pem"

  tls_statements = concat(
    [for parameter in aws_ssm_parameter.ca : {
      Sid      = "PublishTheAuthoritysCertificate"
      Effect   = "Allow"
      Action   = "ssm:PutParameter"
      Resource = parameter.arn
    }],
    [for domain in var.domain[*] : {
      # The challenge's record and no other: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html
      Sid      = "AnswerTheChallengeOfLetsEncrypt"
      Effect   = "Allow"
      Action   = "route53:ChangeResourceRecordSets"
      Resource = "arn:${local.partition}:route53:::hostedzone/${domain.zone_id}"
      Condition = {
        "ForAllValues:StringEquals" = {
          "route53:ChangeResourceRecordSetsNormalizedRecordNames" = ["_acme-challenge.${domain.name}"]
          "route53:ChangeResourceRecordSetsRecordTypes"           = ["TXT"]
        }
      }
    }],
    [for domain in var.domain[*] : {
      Sid      = "SeeThatTheChallengeIsAnswered"
      Effect   = "Allow"
      Action   = "route53:GetChange"
      Resource = "arn:${local.partition}:route53:::change/*"
    }],
    [for domain in var.domain[*] : {
      Sid      = "FindTheZone"
      Effect   = "Allow"
      Action   = ["route53:ListHostedZones", "route53:ListHostedZonesByName"]
      Resource = "*" # know no resources
    }],
  )
}

resource "aws_route53_zone" "own" {
  #checkov:skip=CKV2_AWS_38:A private zone cannot be signed.
  #checkov:skip=CKV2_AWS_39:A private zone has no query log of its own.
  count   = local.own_ca ? 1 : 0
  name    = local.own_zone
  comment = "Names of labswarm's own, inside its VPC"
  tags    = var.tags

  vpc {
    vpc_id = var.vpc_id
  }
}

resource "aws_route53_record" "server" {
  #checkov:skip=CKV2_AWS_23:It names the private address of the server's own interface, which this check does not follow.
  zone_id = local.own_ca ? aws_route53_zone.own[0].zone_id : var.domain.zone_id
  name    = local.host_name
  type    = "A"
  ttl     = 60
  records = [aws_network_interface.server.private_ip]
}

# Made here so that it goes when the server goes; written by the server.
resource "aws_ssm_parameter" "ca" {
  #checkov:skip=CKV2_AWS_34:A certificate is there to be shown.
  count          = local.own_ca ? 1 : 0
  name           = local.ca_parameter
  description    = "The certificate of the Chef Server's own authority (PEM)"
  type           = "String"
  insecure_value = "not yet: the Chef Server writes it at its first start"
  tags           = var.tags

  lifecycle {
    ignore_changes = [insecure_value]
  }
}

# Read only when the server is set up, so that the first apply gets the certificate and not the text above.
data "aws_ssm_parameter" "ca" {
  count = local.own_ca ? 1 : 0
  name  = aws_ssm_parameter.ca[0].name

  depends_on = [aws_ssm_association.ready]

  lifecycle {
    postcondition {
      condition     = startswith(self.insecure_value, "-----BEGIN CERTIFICATE-----")
      error_message = "The Chef Server has not published its authority's certificate in ${local.ca_parameter}; look at `journalctl -u labswarm-chef-server` on it."
    }
  }
}

# The certificate is kept as it was read. A data source that depends on a resource is unknown whenever anything behind that resource changes.
# Hubs get the certificate, so each new image of the server would replace them. The authority is on the data volume, and lives as long.
resource "terraform_data" "ca" {
  count            = local.own_ca ? 1 : 0
  input            = data.aws_ssm_parameter.ca[0].insecure_value
  triggers_replace = aws_ebs_volume.data.id

  lifecycle {
    ignore_changes = [input]
  }
}

# An apply that ends is a server that answers. The first step is its agent's: an association with an instance that has just begun to start
# is not waited for.
resource "terraform_data" "agent" {
  input = {
    region     = local.region
    deadline_s = 600
  }
  triggers_replace = aws_instance.server.id

  provisioner "local-exec" {
    command = "\"${path.module}/await-agent.sh\" \"$INSTANCE\" \"$REGION\" \"$DEADLINE_S\""
    environment = {
      INSTANCE   = self.triggers_replace
      REGION     = self.input.region
      DEADLINE_S = self.input.deadline_s
    }
  }

  # The server needs its data volume to start.
  depends_on = [aws_volume_attachment.data]
}

locals {
  start = split("\n", file("${path.module}/start.sh"))
}

resource "aws_ssm_document" "ready" {
  name            = "${local.name}-ready"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Wait until the Chef Server is set up and answers"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "wait"
      inputs = {
        timeoutSeconds = "1700"
        runCommand     = local.start
      }
    }]
  })
}

resource "aws_ssm_association" "ready" {
  association_name                 = "${local.name}-ready"
  name                             = aws_ssm_document.ready.name
  wait_for_success_timeout_seconds = 1800

  targets {
    key    = "InstanceIds"
    values = [aws_instance.server.id]
  }

  depends_on = [terraform_data.agent, aws_route53_record.server]

  lifecycle {
    # Only a new association is waited for.
    replace_triggered_by = [aws_instance.server.id]
  }
}
