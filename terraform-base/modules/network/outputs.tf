output "vpc_id" {
  description = "The VPC, made or given."
  value       = local.vpc_id
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = local.vpc_cidr
}

output "zones" {
  description = "Its availability zones, in the order of the subnets."
  value       = local.zones
}

output "private_subnet_ids" {
  description = "Private subnets, one per zone, for workers, Chef Server, homes and Chef functions."
  value       = local.private_subnet_ids

  # Instances that start there have their way out, and keep it until they are destroyed; so do the workers, which leave
  # by the functions and the Chef Server. (A module that depends on this one as a whole would read its data sources
  # again, and plan to replace the resources named after them, with each change here.)
  depends_on = [
    aws_route.nat,
    aws_route_table_association.private,
    aws_vpc_endpoint.gateway,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_egress_rule.chef_server_to_s3,
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.chef_server,
    aws_vpc_security_group_egress_rule.http,
    aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_ingress_rule.chef_server,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]
}

output "public_subnet_ids" {
  description = "Public subnets, for hubs and NAT gateways only."
  value       = local.public_subnet_ids

  # The same; and an address of the Internet is taken by no VPC without a gateway.
  depends_on = [aws_route.public, aws_route_table_association.public]
}

output "security_groups" {
  description = "Ids of the groups that all clusters share. A cluster's hub and workers carry the group nodes."
  value = {
    nodes          = aws_security_group.nodes.id
    chef_server    = aws_security_group.chef_server.id
    chef_functions = aws_security_group.chef_functions.id
    endpoints      = aws_security_group.endpoints.id
  }
}

output "internet" {
  description = "Whether private subnets reach the Internet; false with egress \"endpoints\"."
  value       = local.internet
}

output "prefix_list_ids" {
  description = "Where there is no Internet: the prefix lists of the gateway endpoints, by service (s3, dynamodb). Empty otherwise."
  value       = local.prefix_list_ids
}
