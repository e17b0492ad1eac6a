# The groups that all clusters of this VPC share. Each cluster makes its own groups for its hub, workers and homes, so that no lecture's
# nodes reach another's Swarm. A cluster adds no rule here, since a group takes 60 of them: its nodes carry the group `nodes`.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
#
# Rules name other groups, never addresses of our own. Outward only the listed ports are open. DNS and time are not listed, because the
# VPC's resolver and the time service are not subject to security groups.

resource "aws_security_group" "chef_server" {
  #checkov:skip=CKV2_AWS_5:The Chef Server's module attaches it.
  name        = "${var.name}-chef-server"
  description = "The Chef Server: 443 from nodes and from the Chef functions"
  vpc_id      = local.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-chef-server" })

  lifecycle {
    precondition {
      condition     = length(distinct(local.zones)) == length(local.zones)
      error_message = "existing_vpc.private_subnet_ids: these subnets are in ${join(", ", local.zones)}: give one per zone, in two zones or more."
    }
  }
}

resource "aws_security_group" "chef_functions" {
  #checkov:skip=CKV2_AWS_5:The app's template attaches it to the functions that call the Chef Server.
  name        = "${var.name}-chef-functions"
  description = "Functions of the app that call the Chef Server: outward only"
  vpc_id      = local.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-chef-functions" })
}

# It exists without endpoints too: it costs nothing, and rules can refer to it in any case.
resource "aws_security_group" "endpoints" {
  #checkov:skip=CKV2_AWS_5:Attached to the interface endpoints where egress is "endpoints".
  name        = "${var.name}-endpoints"
  description = "Interface endpoints of AWS services: 443 from nodes, Chef Server and functions"
  vpc_id      = local.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-endpoints" })
}

# No rule lets anything in: with this group a node only reaches others.
resource "aws_security_group" "nodes" {
  #checkov:skip=CKV2_AWS_5:Each cluster's hub and workers carry it.
  name        = "${var.name}-nodes"
  description = "Hubs and workers of all clusters: outward to the Chef Server and to AWS services"
  vpc_id      = local.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-nodes" })
}

locals {
  servers = {
    chef_server    = aws_security_group.chef_server.id
    chef_functions = aws_security_group.chef_functions.id
  }
  chef_clients   = { chef_functions = aws_security_group.chef_functions.id, nodes = aws_security_group.nodes.id }
  endpoint_users = merge(local.servers, { nodes = aws_security_group.nodes.id })
}

resource "aws_vpc_security_group_ingress_rule" "chef_server" {
  for_each                     = local.chef_clients
  description                  = "Chef Server API from ${each.key}"
  security_group_id            = aws_security_group.chef_server.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "chef_server" {
  for_each                     = local.chef_clients
  description                  = "Chef Server API"
  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.chef_server.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each          = local.internet ? local.servers : {}
  description       = "AWS services, and for the Chef Server packages"
  security_group_id = each.value
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "http" {
  count             = local.internet ? 1 : 0
  description       = "Package mirrors that answer on port 80 only; their packages are signed"
  security_group_id = aws_security_group.chef_server.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each                     = local.endpoint_users
  description                  = "AWS services"
  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  for_each                     = local.internet ? {} : local.endpoint_users
  description                  = "AWS services through the interface endpoints"
  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# The Chef Server's backups.
resource "aws_vpc_security_group_egress_rule" "chef_server_to_s3" {
  count             = local.internet ? 0 : 1
  description       = "S3 through the gateway endpoint"
  security_group_id = aws_security_group.chef_server.id
  prefix_list_id    = local.prefix_list_ids["s3"]
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
