# Ten clusters on one network, one Chef Server and, once deployed, one app. Each lecture's hub,
# homes, workers and secrets are its own.

module "network" {
  source = "../../modules/network"

  zones = var.zones
}

module "chef_server" {
  source = "../../modules/chef_server"

  vpc_id          = module.network.vpc_id
  subnet_id       = module.network.private_subnet_ids[0]
  zone            = module.network.zones[0]
  security_groups = module.network.security_groups
  ami             = var.images.chef_server
  workstation     = var.images.workstation == null ? null : { ami = var.images.workstation }

  alarm_topic_arns          = var.alarm_topic_arns
  delete_backups_on_destroy = var.delete_backups_on_destroy
}

module "lecture" {
  source   = "../../modules/cluster"
  for_each = var.lectures

  name              = each.key
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.private_subnet_ids
  public_subnet_ids = module.network.public_subnet_ids
  security_groups   = module.network.security_groups
  internet          = module.network.internet
  prefix_list_ids   = module.network.prefix_list_ids
  chef              = module.chef_server.chef

  hub_ami    = var.images.hub
  worker_ami = var.images.worker
  domain     = merge(var.domain, { name = "${each.key}.${var.domain.name}" })
  login      = var.login

  images         = each.value.images
  seat           = each.value.seat
  instance_types = each.value.instance_types
  max_nodes      = each.value.max_nodes
  timetable      = each.value.timetable

  alarm_topic_arns        = var.alarm_topic_arns
  delete_homes_on_destroy = each.value.delete_homes_on_destroy

  tags = { lecture = each.key }
}
