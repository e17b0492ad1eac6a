# A worker. README.md says what each is for.

# What a student's container cannot reach: the private and the link-local ranges, and with them the
# VPC, the instance metadata, and the ports of the Docker, Swarm and Chef hosts in it.
default['labswarm_worker']['unreachable'] = %w(
  10.0.0.0/8
  100.64.0.0/10
  169.254.0.0/16
  172.16.0.0/12
  192.168.0.0/16
)
default['labswarm_worker']['reachable'] = []
