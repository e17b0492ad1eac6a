module Labswarm
  module Vpc
    # The VPC's IPv4 blocks, of the instance's metadata: one may have others than private ones.
    def self.blocks(node)
      interfaces = node.read('ec2', 'network_interfaces_macs') || {}
      interfaces.values.flat_map { |interface| Array(interface['vpc_ipv4_cidr_blocks']).flat_map(&:split) }.uniq
    end
  end
end
