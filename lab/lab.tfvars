# The lab's cluster, as stack cluster describes it: its plan is where the lab has its hooks, group,
# tags and description from. Ids are made up: the lab has its own network, images and Chef Server.

region = "eu-west-1"
name   = "lab"

seat                   = { memory_mib = 512, cpu = 0.25 }
overhead               = { memory_mib = 448, cpu = 0.1 }
headroom               = 2
images                 = ["labswarm/notebook:lab"]
empty_deadline_minutes = 0.25
node_start_seconds     = 60
max_nodes              = 20

instance_types       = ["t3.medium"]
hub_instance_type    = "t3.large"
hook_timeout_seconds = 600

vpc_id            = "vpc-00000000000000000"
subnet_ids        = ["subnet-00000000000000000"]
public_subnet_ids = ["subnet-00000000000000003"] # by its last digit of the same zone
security_groups   = { nodes = "sg-00000000000000000" }
chef              = { url = "https://chef.invalid", organization = null }
hub_ami           = "ami-00000000000000000"
worker_ami        = "ami-00000000000000000"

tags = {}
