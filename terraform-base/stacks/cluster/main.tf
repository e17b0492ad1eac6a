# One hub with its homes and its workers. Everything is in the module, so that examples/ten-lectures
# can have ten of them.
module "cluster" {
  source = "../../modules/cluster"

  name                   = var.name
  vpc_id                 = var.vpc_id
  subnet_ids             = var.subnet_ids
  public_subnet_ids      = var.public_subnet_ids
  security_groups        = var.security_groups
  internet               = var.internet
  prefix_list_ids        = var.prefix_list_ids
  hub_ingress_cidrs      = var.hub_ingress_cidrs
  hub_egress_ports       = var.hub_egress_ports
  worker_egress_ports    = var.worker_egress_ports
  chef                   = var.chef
  image_owners           = var.image_owners
  hub_ami                = var.hub_ami
  hub_instance_type      = var.hub_instance_type
  hub_private_address    = var.hub_private_address
  hub_root_volume_gib    = var.hub_root_volume_gib
  hub_data_volume_gib    = var.hub_data_volume_gib
  hub_data_snapshot_id   = var.hub_data_snapshot_id
  hub_snapshots_kept     = var.hub_snapshots_kept
  hub_last_snapshot      = var.hub_last_snapshot
  domain                 = var.domain
  homes                  = var.homes
  worker_ami             = var.worker_ami
  instance_types         = var.instance_types
  worker_volume_gib      = var.worker_volume_gib
  on_demand_base         = var.on_demand_base
  on_demand_percentage   = var.on_demand_percentage
  hook_timeout_seconds   = var.hook_timeout_seconds
  seat                   = var.seat
  overhead               = var.overhead
  headroom               = var.headroom
  images                 = var.images
  login                  = var.login
  empty_deadline_minutes = var.empty_deadline_minutes
  timetable              = var.timetable
  node_start_seconds     = var.node_start_seconds
  min_nodes              = var.min_nodes
  max_nodes              = var.max_nodes
  scale_out_at           = var.scale_out_at
  extra_groups           = var.extra_groups
  alarm_topic_arns       = var.alarm_topic_arns
  tags                   = var.tags
}
