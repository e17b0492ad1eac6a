# Also run alone when a node boots (labswarm-node-config.service): the program that needs its Chef
# key reads the file.

ground = Labswarm::Ground.read(node['labswarm_base']['ground'])
instance_id = node['labswarm_base']['instance_id'] || node.read('ec2', 'instance_id')
address = node['labswarm_base']['address'] || node.read('ec2', 'local_ipv4')
raise "the instance's metadata is not reached: see that IMDSv2 is enabled, or set labswarm_base.instance_id and address" unless instance_id && address

labswarm_node_config '/etc/labswarm/node.json' do
  ground ground
  instance_id instance_id
  address address
  chef_client node['labswarm_base']['chef_client']
  # A hub converges by the role in its image: it has to start when the Chef Server is not there.
  policy node['labswarm_base']['policy'] if ground['role'] == 'worker'
  if ground['role'] == 'hub'
    hub 'api_url' => node['labswarm_base']['hub_api_url'],
        'token_file' => node['labswarm_base']['hub_token_file'],
        'proxy_url' => node['labswarm_base']['hub_proxy_url']
  end
end
