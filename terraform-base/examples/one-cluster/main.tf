# A Chef Server and one cluster, in one state: the shortest way to a first class. For more than one
# cluster use the stacks, or ten-lectures.

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

module "cluster" {
  source = "../../modules/cluster"

  name              = "physics"
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.private_subnet_ids
  public_subnet_ids = module.network.public_subnet_ids
  security_groups   = module.network.security_groups
  internet          = module.network.internet
  prefix_list_ids   = module.network.prefix_list_ids
  chef              = module.chef_server.chef

  hub_ami    = var.images.hub
  worker_ami = var.images.worker
  domain     = var.domain
  login      = var.login

  alarm_topic_arns        = var.alarm_topic_arns
  delete_homes_on_destroy = var.delete_homes_on_destroy

  images    = ["quay.io/jupyter/scipy-notebook:2025-03-14"]
  seat      = { memory_mib = 1024, cpu = 0.25 }
  max_nodes = 10
}
