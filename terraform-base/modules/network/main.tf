data "aws_region" "current" {}

locals {
  own = var.existing_vpc == null

  vpc_id             = local.own ? aws_vpc.this[0].id : var.existing_vpc.vpc_id
  vpc_cidr           = local.own ? aws_vpc.this[0].cidr_block : data.aws_vpc.existing[0].cidr_block
  zones              = local.own ? var.zones : data.aws_subnet.existing_private[*].availability_zone
  private_subnet_ids = local.own ? [for zone in var.zones : aws_subnet.private[zone].id] : var.existing_vpc.private_subnet_ids
  public_subnet_ids  = local.own ? [for zone in var.zones : aws_subnet.public[zone].id] : var.existing_vpc.public_subnet_ids

  # Beginnings of the nodes' ranges for containers: cookbooks/labswarm_hub (address_pool), cookbooks/labswarm_base
  # (engine.json). A VPC is /16 at most, so what begins otherwise is clear of them.
  nodes_own = ["10.97.", "172.17.", "172.20."]

  # Whether 443 outward has to be open to the world, or only to the endpoints.
  internet        = !local.own || var.egress != "endpoints"
  own_zones       = local.own ? toset(var.zones) : toset([])
  nat_zones       = !local.own || var.egress == "endpoints" ? toset([]) : var.egress == "nat" ? toset([var.zones[0]]) : local.own_zones
  prefix_list_ids = local.internet ? {} : { for service, endpoint in aws_vpc_endpoint.gateway : service => endpoint.prefix_list_id }
}

# A given VPC: it is read and never changed.

data "aws_vpc" "existing" {
  count = local.own ? 0 : 1
  id    = var.existing_vpc.vpc_id

  lifecycle {
    postcondition {
      condition     = self.enable_dns_support && self.enable_dns_hostnames
      error_message = "existing_vpc.vpc_id is ${self.id}, a VPC with DNS support or DNS hostnames off. EFS and the Chef Server need both for their names: turn both on."
    }

    postcondition {
      condition = !anytrue([
        for pair in setproduct(concat([self.cidr_block], self.cidr_block_associations[*].cidr_block), local.nodes_own) : startswith(pair[0], pair[1])
      ])
      error_message = "existing_vpc.vpc_id is ${self.id}, with the addresses ${join(", ", self.cidr_block_associations[*].cidr_block)}. Nodes use 10.97.0.0/16, 172.17.0.0/16 and 172.20.0.0/16 for containers and could not reach these: give another VPC."
    }
  }
}

data "aws_vpc_dhcp_options" "existing" {
  count           = local.own ? 0 : 1
  dhcp_options_id = data.aws_vpc.existing[0].dhcp_options_id

  lifecycle {
    # Only Amazon's server is past security groups, which let nobody out on port 53: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    postcondition {
      condition     = contains(self.domain_name_servers, "AmazonProvidedDNS")
      error_message = "existing_vpc.vpc_id: the VPC's DHCP options name the servers ${join(", ", self.domain_name_servers)}, and nodes reach only AmazonProvidedDNS: add it, or give another VPC."
    }
  }
}

data "aws_subnet" "existing_private" {
  count = local.own ? 0 : length(var.existing_vpc.private_subnet_ids)
  id    = var.existing_vpc.private_subnet_ids[count.index]
}

# A new VPC.

resource "aws_vpc" "this" {
  count                = local.own ? 1 : 0
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = alltrue([for zone in var.zones : startswith(zone, data.aws_region.current.region)])
      error_message = "zones is ${join(", ", var.zones)}: the region is ${data.aws_region.current.region}; give zones of this one."
    }
  }
}

# Without a rule, so that a resource without a group can connect to nothing.
resource "aws_default_security_group" "this" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-default-unused" })
}

resource "aws_subnet" "private" {
  for_each          = local.own_zones
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  # Sixteenths of the VPC: the first eight are private, the others public; a further zone moves none.
  cidr_block = cidrsubnet(var.vpc_cidr, 4, index(var.zones, each.key))
  tags       = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_subnet" "public" {
  for_each                = local.own_zones
  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, 8 + index(var.zones, each.key))
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-public-${each.key}" })
}

resource "aws_internet_gateway" "this" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_route_table" "public" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "public" {
  count                  = local.own ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table" "private" {
  for_each = local.own_zones
  vpc_id   = aws_vpc.this[0].id
  tags     = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

# Egress: NAT gateways, or endpoints of the AWS services that nodes use.

resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:This address belongs to a NAT gateway, not to an instance.
  for_each = local.nat_zones
  domain   = "vpc"
  tags     = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })

  # An address in a VPC that has no Internet gateway yet is refused.
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  for_each      = local.nat_zones
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })

  depends_on = [aws_route.public, aws_route_table_association.public]
}

resource "aws_route" "nat" {
  for_each               = length(local.nat_zones) == 0 ? toset([]) : local.own_zones
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.egress == "nat" ? var.zones[0] : each.key].id
}

# Free, and they keep image layers and snapshots off the NAT gateway, which charges by the gigabyte.
resource "aws_vpc_endpoint" "gateway" {
  for_each          = local.own ? toset(["s3", "dynamodb"]) : toset([])
  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for zone in var.zones : aws_route_table.private[zone].id]
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.internet ? toset([]) : var.endpoint_services
  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in var.zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoints.id]
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}
