# Where an operator uploads cookbooks and policies from, over sessions of Systems Manager: nothing can connect to it.

locals {
  workstation = var.workstation == null ? {} : { this = var.workstation }
  operator    = "operator"
}

resource "aws_security_group" "workstation" {
  #checkov:skip=CKV2_AWS_5:It is attached to the workstation below, which this check does not see in a for_each.
  for_each    = local.workstation
  name        = "${local.name}-workstation"
  description = "The Chef workstation: outward only"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${local.name}-workstation" })
}

resource "aws_vpc_security_group_egress_rule" "workstation" {
  for_each          = var.workstation == null ? {} : { http = 80, https = 443 }
  description       = each.key == "https" ? "Chef Server, AWS services, cookbooks and packages" : "Package mirrors that answer on port 80 only"
  security_group_id = aws_security_group.workstation["this"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "workstation" {
  for_each                     = var.workstation == null ? {} : { chef_server = var.security_groups.chef_server, endpoints = var.security_groups.endpoints }
  description                  = "The Chef workstation"
  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.workstation["this"].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# The key of the Chef user `operator`: made and left here by the server, fetched by the workstation, in no state and no
# image. It exists without a workstation too, for other ways to upload cookbooks; so a workstation that comes later
# changes nothing on the server.
resource "aws_secretsmanager_secret" "operator" {
  #checkov:skip=CKV_AWS_149:AWS's key encrypts it; a key of our own would be $1 per month and admit the same two roles.
  #checkov:skip=CKV2_AWS_57:Rotated by the server (`chef-server-ctl add-user-key`), which alone can register the new key.
  name        = "labswarm/chef/operator"
  description = "Private key of the Chef user ${local.operator}, written by the Chef Server at its first start"
  # It can be created again at any time, and a name that waits for its deletion cannot be used again.
  recovery_window_in_days = 0
  tags                    = var.tags
}

module "workstation_role" {
  for_each    = local.workstation
  source      = "../node_role"
  name        = "${local.name}-workstation"
  description = "The Chef workstation: the operator's key and the server's certificate"
  tags        = var.tags
  statements = concat(
    [{
      Sid      = "OperatorsKey"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.operator.arn
    }],
    [for parameter in aws_ssm_parameter.ca : {
      Sid      = "AuthoritysCertificate"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = parameter.arn
    }],
  )
}

resource "aws_instance" "workstation" {
  #checkov:skip=CKV_AWS_126:Nothing depends on it; metrics each five minutes are enough.
  for_each                    = local.workstation
  ami                         = each.value.ami
  instance_type               = each.value.instance_type
  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = [aws_security_group.workstation["this"].id]
  associate_public_ip_address = false
  iam_instance_profile        = module.workstation_role["this"].instance_profile_name
  ebs_optimized               = true
  user_data_replace_on_change = true

  user_data = "#cloud-config\n${jsonencode({ write_files = [merge(local.ground_file, {
    content = jsonencode({
      role         = "chef-workstation"
      region       = local.region
      operator_key = aws_secretsmanager_secret.operator.name

      chef = {
        url          = local.url
        organization = var.organization
        user         = local.operator
        ca_parameter = local.own_ca ? local.ca_parameter : null
      }
    })
  })] })}"

  tags = merge(var.tags, {
    Name            = "${local.name}-workstation"
    "labswarm:role" = "chef-workstation"
  })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
    tags        = merge(var.tags, { Name = "${local.name}-workstation" })
  }
}

# The workflow `cookbooks` runs it: no other way leads from GitHub to the Chef Server.
resource "aws_ssm_document" "push" {
  for_each        = local.workstation
  name            = "${local.name}-push"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Give the workers' cookbooks of a commit to one cluster"
    parameters = {
      Commit = {
        type              = "String"
        description       = "The commit's full id"
        allowedPattern    = "^[0-9a-f]{40}$"
        interpolationType = "ENV_VAR"
      }
      Cluster = {
        type              = "String"
        description       = "The cluster's name"
        allowedPattern    = "^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"
        interpolationType = "ENV_VAR"
      }
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "push"
      inputs = {
        timeoutSeconds = "600"
        runCommand     = concat(["COMMIT=$SSM_Commit CLUSTER=$SSM_Cluster"], split("\n", file("${path.module}/push.sh")))
      }
    }]
  })
}
