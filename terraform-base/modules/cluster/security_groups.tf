# Each cluster has its own groups, so that one lecture's nodes never reach another's Swarm. No rule here is added to a shared group, which
# would fill up with clusters: the group `nodes` of modules/network reaches the Chef Server and AWS's endpoints.

resource "aws_security_group" "hub" {
  #checkov:skip=CKV2_AWS_5:The hub's network interface has it, in modules/hub
  name        = "labswarm-${var.name}-hub"
  description = "The hub of the labswarm cluster ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "labswarm-${var.name}-hub" })
}

resource "aws_security_group" "workers" {
  #checkov:skip=CKV2_AWS_5:The workers' launch template has it, in modules/workers
  name        = "labswarm-${var.name}-workers"
  description = "The workers of the labswarm cluster ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "labswarm-${var.name}-workers" })
}

resource "aws_security_group" "homes" {
  #checkov:skip=CKV2_AWS_5:The file system's mount targets have it, in modules/storage
  name        = "labswarm-${var.name}-homes"
  description = "The homes of the labswarm cluster ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "labswarm-${var.name}-homes" })

  # The homes have one mount target in a zone, and their name is that of the caller's own zone: https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-mount-cmd-dns-name.html
  lifecycle {
    precondition {
      condition     = length(distinct(local.zones)) == length(local.zones)
      error_message = "subnet_ids: these subnets are in ${join(", ", local.zones)}: give one per zone, since the homes have one mount target per zone."
    }

    precondition {
      condition     = contains(local.zones, data.aws_subnet.hub.availability_zone)
      error_message = "public_subnet_ids: the first is in ${data.aws_subnet.hub.availability_zone}, and subnet_ids are in ${join(", ", local.zones)}, so the hub could not mount the homes; name a public subnet of one of these zones first."
    }
  }
}

data "aws_subnet" "workers" {
  count = length(var.subnet_ids)
  id    = var.subnet_ids[count.index]
}

data "aws_subnet" "hub" {
  id = var.public_subnet_ids[0]
}

locals {
  zones = data.aws_subnet.workers[*].availability_zone

  members = {
    hub     = aws_security_group.hub.id
    workers = aws_security_group.workers.id
    homes   = aws_security_group.homes.id
  }

  # The allowed connections. Swarm's ports:
  # https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts A server talks only
  # to the hub, so that the overlay's data (4789) does not pass between workers; its gossip (7946) needs every node to
  # reach every other.
  flows = {
    "join and manage"           = { from = "workers", to = "hub", protocol = "tcp", port = 2377 }
    "gossip to hub"             = { from = "workers", to = "hub", protocol = "tcp", port = 7946 }
    "gossip to hub, UDP"        = { from = "workers", to = "hub", protocol = "udp", port = 7946 }
    "gossip to workers"         = { from = "hub", to = "workers", protocol = "tcp", port = 7946 }
    "gossip to workers, UDP"    = { from = "hub", to = "workers", protocol = "udp", port = 7946 }
    "gossip among workers"      = { from = "workers", to = "workers", protocol = "tcp", port = 7946 }
    "gossip among workers, UDP" = { from = "workers", to = "workers", protocol = "udp", port = 7946 }
    "overlay to hub"            = { from = "workers", to = "hub", protocol = "udp", port = 4789 }
    "overlay to workers"        = { from = "hub", to = "workers", protocol = "udp", port = 4789 }
    "homes of workers"          = { from = "workers", to = "homes", protocol = "tcp", port = 2049 }
    "homes of hub"              = { from = "hub", to = "homes", protocol = "tcp", port = 2049 }
  }
}

resource "aws_vpc_security_group_egress_rule" "reference" {
  for_each = local.flows

  security_group_id            = local.members[each.value.from]
  referenced_security_group_id = local.members[each.value.to]
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${var.name}: ${each.key}"
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "reference" {
  for_each = local.flows

  security_group_id            = local.members[each.value.to]
  referenced_security_group_id = local.members[each.value.from]
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${var.name}: ${each.key}"
  tags                         = var.tags
}

# Students come over HTTPS; port 80 answers Let's Encrypt and sends browsers on.
resource "aws_vpc_security_group_ingress_rule" "students" {
  #checkov:skip=CKV_AWS_260:Let's Encrypt asks on port 80, from addresses that it does not name
  for_each = { for pair in setproduct(var.hub_ingress_cidrs, [443, 80]) : "${pair[0]} ${pair[1]}" => { cidr = pair[0], port = pair[1] } }

  security_group_id = aws_security_group.hub.id
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  description       = "${var.name}: students"
  tags              = var.tags
}

# Images, packages, log-ins and AWS's own addresses are on no list that could be named here. The worker narrows further
# which addresses a student's container may reach.
resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = merge(
    { for port in var.hub_egress_ports : "hub ${port}" => { group = "hub", port = port } },
    { for port in var.internet ? var.worker_egress_ports : [] : "workers ${port}" => { group = "workers", port = port } },
  )

  security_group_id = local.members[each.value.group]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  description       = "${var.name}: Internet"
  tags              = var.tags
}

# Services with gateway endpoints (S3, DynamoDB) where there is no Internet.
resource "aws_vpc_security_group_egress_rule" "prefix_list" {
  for_each = var.prefix_list_ids

  security_group_id = aws_security_group.workers.id
  prefix_list_id    = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "${var.name}: ${each.key}"
  tags              = var.tags
}
