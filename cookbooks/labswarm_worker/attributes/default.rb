# A worker. README.md describes each.

# The addresses that a student's container cannot reach: the private and the link-local ranges, and
# with them the VPC, the instance metadata, and the ports of the Docker, Swarm and Chef hosts in it.
# The lab's workers read the same file.
default['labswarm_worker']['unreachable'] =
  JSON.parse(::File.read(::File.join(__dir__, '../files/default/unreachable.json')))
default['labswarm_worker']['reachable'] = []
