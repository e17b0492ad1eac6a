# Once in an account and region: the network and the Chef Server that every cluster there uses.

module "network" {
  source = "../../modules/network"

  name              = var.network_name
  vpc_cidr          = var.vpc_cidr
  zones             = var.zones
  egress            = var.egress
  endpoint_services = var.endpoint_services
  existing_vpc      = var.existing_vpc
  flow_log_days     = var.flow_log_days
}

module "chef_server" {
  source = "../../modules/chef_server"

  vpc_id          = module.network.vpc_id
  subnet_id       = module.network.private_subnet_ids[0]
  zone            = module.network.zones[0]
  security_groups = module.network.security_groups

  ami                       = var.chef_server_ami
  instance_type             = var.chef_server_instance_type
  private_ip                = var.chef_server_private_ip
  organization              = var.organization
  domain                    = var.domain
  data_volume_gib           = var.data_volume_gib
  backup_hour_utc           = var.backup_hour_utc
  backup_days               = var.backup_days
  delete_backups_on_destroy = var.delete_backups_on_destroy
  workstation               = var.workstation
  app_stack_name            = var.app_stack_name
  alarm_topic_arns          = var.alarm_topic_arns
}
