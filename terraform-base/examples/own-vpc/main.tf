# In a VPC that is there already: only security groups are made in it. The hub is for the campus
# only, so that Let's Encrypt cannot ask it: it has a certificate of your own.

module "network" {
  source = "../../modules/network"

  existing_vpc = var.vpc
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

  hub_ingress_cidrs = var.campus_cidrs
  hub_ami           = var.images.hub
  worker_ami        = var.images.worker
  domain            = var.domain
  login             = var.login

  alarm_topic_arns        = var.alarm_topic_arns
  delete_homes_on_destroy = var.delete_homes_on_destroy

  images = ["quay.io/jupyter/scipy-notebook:2025-03-14"]

  # A class that needs much memory, on the same hub: to the app it is the cluster physics-memory.
  extra_groups = {
    memory = {
      instance_types = ["r7i.xlarge", "r6i.xlarge", "r5.xlarge"]
      seat           = { memory_mib = 8192, cpu = 1 }
      max_nodes      = 6
    }
  }
}
