data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # A further group is the app's cluster <name>-<group>; its missing fields are as in the main one.
  groups = merge(
    {
      (var.name) = {
        instance_types         = var.instance_types
        ami                    = var.worker_ami
        on_demand_base         = var.on_demand_base
        on_demand_percentage   = var.on_demand_percentage
        root_volume_gib        = var.worker_volume_gib
        hook_timeout_seconds   = var.hook_timeout_seconds
        seat                   = var.seat
        overhead               = var.overhead
        headroom               = var.headroom
        images                 = var.images
        empty_deadline_minutes = var.empty_deadline_minutes
        timetable              = var.timetable
        node_start_seconds     = var.node_start_seconds
        min_nodes              = var.min_nodes
        max_nodes              = var.max_nodes
      }
    },
    {
      for group, its in var.extra_groups : "${var.name}-${group}" => {
        instance_types         = its.instance_types
        ami                    = its.worker_ami == null ? var.worker_ami : its.worker_ami
        on_demand_base         = its.on_demand_base
        on_demand_percentage   = its.on_demand_percentage
        root_volume_gib        = its.worker_volume_gib == null ? var.worker_volume_gib : its.worker_volume_gib
        hook_timeout_seconds   = its.hook_timeout_seconds == null ? var.hook_timeout_seconds : its.hook_timeout_seconds
        seat                   = its.seat
        overhead               = its.overhead == null ? var.overhead : its.overhead
        headroom               = its.headroom
        images                 = its.images == null ? var.images : its.images
        empty_deadline_minutes = its.empty_deadline_minutes == null ? var.empty_deadline_minutes : its.empty_deadline_minutes
        timetable              = its.timetable
        node_start_seconds     = its.node_start_seconds == null ? var.node_start_seconds : its.node_start_seconds
        min_nodes              = its.min_nodes
        max_nodes              = its.max_nodes
      }
    },
  )

  ground_chef = {
    url          = var.chef.url
    organization = var.chef.organization
    ca_pem       = var.chef.ca_pem
  }
  ground_efs = {
    file_system_id  = module.storage.file_system_id
    access_point_id = module.storage.access_point_id
  }

  event_bus = join(":", [
    "arn", data.aws_partition.current.partition, "events", data.aws_region.current.region,
    data.aws_caller_identity.current.account_id, "event-bus/default",
  ])
  worker_statements = [
    {
      Sid      = "JoinToken"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = module.hub.join_secret.arn
    },
    {
      Sid       = "Metrics"
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*" # knows no resources
      Condition = { StringEquals = { "cloudwatch:namespace" = "CWAgent" } }
    },
    # No other event of the app: a worker reports that its agent has started, and the app asks Systems Manager whether it is true.
    {
      Sid       = "AgentStarted"
      Effect    = "Allow"
      Action    = "events:PutEvents"
      Resource  = local.event_bus
      Condition = { "ForAllValues:StringEquals" = { "events:source" = "${var.prefix}.node", "events:detail-type" = "AgentStarted" } }
    },
  ]

  settings = { for name, group in module.workers : name => group.settings }
  descriptions = {
    for name, settings in local.settings : name => jsonencode(merge(settings, {
      manager = module.hub.instance_id
      chef    = var.chef
    }))
  }
  # The hub's id is known only after an apply. A placeholder stands for it, so that a plan counts as well.
  description_bytes = {
    for name, settings in local.settings : name => floor(length(base64encode(jsonencode(merge(settings, {
      manager = "i-0123456789abcdef0"
      chef    = var.chef
    })))) * 3 / 4)
  }
}

module "storage" {
  source = "../storage"

  name                      = var.name
  subnet_ids                = var.subnet_ids
  security_group_id         = aws_security_group.homes.id
  client_role_arns          = { hub = module.hub.role_arn, workers = module.worker_role.arn }
  days_to_infrequent_access = var.homes.days_to_infrequent_access
  throughput_mode           = var.homes.throughput_mode
  backups                   = var.homes.backups
  restore                   = var.restore_homes
  tags                      = var.tags
}

module "hub" {
  source = "../hub"

  cluster            = var.name
  prefix             = var.prefix
  groups             = keys(local.groups)
  subnet_id          = var.public_subnet_ids[0]
  security_group_ids = [aws_security_group.hub.id, var.security_groups.nodes]
  ami                = var.hub_ami
  image_owners       = var.image_owners
  instance_type      = var.hub_instance_type
  root_volume_gib    = var.hub_root_volume_gib
  private_address    = var.hub_private_address
  data_volume_gib    = var.hub_data_volume_gib
  data_snapshot_id   = var.hub_data_snapshot_id
  snapshots_kept     = var.hub_snapshots_kept
  last_snapshot      = var.hub_last_snapshot
  domain             = var.domain
  images             = var.images
  login              = var.login
  document           = var.document
  chef               = local.ground_chef
  efs                = local.ground_efs
  alarm_topic_arns   = var.alarm_topic_arns
  tags               = var.tags
}

# One for all groups: they have the same Swarm and the same homes.
module "worker_role" {
  source = "../node_role"

  name        = "labswarm-${var.name}-worker"
  description = "Workers of the labswarm cluster ${var.name}"
  tags        = var.tags

  # Homes are mounted by the file system's own policy.
  statements = local.worker_statements
}

module "workers" {
  source   = "../workers"
  for_each = local.groups

  name                   = each.key
  prefix                 = var.prefix
  subnet_ids             = var.subnet_ids
  security_group_ids     = [aws_security_group.workers.id, var.security_groups.nodes]
  instance_types         = each.value.instance_types
  ami                    = each.value.ami
  image_owners           = var.image_owners
  on_demand_base         = each.value.on_demand_base
  on_demand_percentage   = each.value.on_demand_percentage
  root_volume_gib        = each.value.root_volume_gib
  hook_timeout_seconds   = each.value.hook_timeout_seconds
  seat                   = each.value.seat
  overhead               = each.value.overhead
  headroom               = each.value.headroom
  images                 = each.value.images
  empty_deadline_minutes = each.value.empty_deadline_minutes
  timetable              = each.value.timetable
  node_start_seconds     = each.value.node_start_seconds
  min_nodes              = each.value.min_nodes
  max_nodes              = each.value.max_nodes
  scale_out_at           = var.scale_out_at
  instance_profile_arn   = module.worker_role.instance_profile_arn
  join_secret            = module.hub.join_secret.name
  hub_address            = module.hub.private_address
  chef                   = local.ground_chef
  efs                    = local.ground_efs
  tags                   = var.tags
}

# The app's description of the cluster; labswarm.cluster.Cluster.parse reads it.
resource "aws_ssm_parameter" "description" {
  #checkov:skip=CKV2_AWS_34:It has no secret in it, and the functions would need a key to read it
  #checkov:skip=CKV_AWS_337:It has no secret in it, and the functions would need a key to read it
  for_each = local.groups

  name        = "/${var.prefix}/clusters/${each.key}"
  description = "labswarm: the app's description of the cluster ${each.key}"
  type        = "String"
  tier        = "Intelligent-Tiering" # a certificate authority's PEM can take it over 4 KB
  value       = local.descriptions[each.key]
  tags        = var.tags

  # https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
  lifecycle {
    precondition {
      condition     = local.description_bytes[each.key] <= 8192
      error_message = "images and chef.ca_pem make the description of ${each.key} ${local.description_bytes[each.key]} bytes long, and Parameter Store takes 8192: name fewer images, or give only the certificate authority's own certificate."
    }
  }
}

# Destroyed before hub, roles and hooks: its script ends the workers through their terminate hooks, while everything
# that they need to deregister still exists. Not run when the whole module call is deleted from
# the configuration: destroy first, then delete.
# https://developer.hashicorp.com/terraform/language/provisioners#destroy-time-provisioners
resource "terraform_data" "emptied" {
  for_each = local.groups

  input = {
    region     = data.aws_region.current.region
    deadline_s = each.value.empty_deadline_minutes * 60 + 1800
  }
  triggers_replace = local.settings[each.key].asg

  provisioner "local-exec" {
    when    = destroy
    command = "\"${path.module}/../workers/empty-group.sh\" \"$GROUP\" \"$REGION\" \"$DEADLINE_S\""
    environment = {
      GROUP      = self.triggers_replace
      REGION     = self.input.region
      DEADLINE_S = self.input.deadline_s
    }
  }

  depends_on = [
    module.hub,
    module.storage,
    module.worker_role,
    module.workers,
    aws_ssm_parameter.description,
    aws_vpc_security_group_egress_rule.internet,
    aws_vpc_security_group_egress_rule.prefix_list,
    aws_vpc_security_group_egress_rule.reference,
    aws_vpc_security_group_ingress_rule.reference,
    aws_vpc_security_group_ingress_rule.students,
  ]
}

# Destroyed before everything else of the cluster, since it depends on `emptied`. A provisioner can read a variable, unlike prevent_destroy.
# https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#prevent_destroy
resource "terraform_data" "homes_guard" {
  input = {
    cluster = var.name
    delete  = var.delete_homes_on_destroy
  }
  triggers_replace = module.storage.file_system_id

  provisioner "local-exec" {
    when        = destroy
    command     = "[ \"$DELETE\" = true ] || { echo \"delete_homes_on_destroy is false, and this would delete the homes of $CLUSTER: apply with delete_homes_on_destroy = true first, or keep the cluster\" >&2; exit 1; }"
    environment = { CLUSTER = self.input.cluster, DELETE = self.input.delete }
  }

  depends_on = [terraform_data.emptied]
}
