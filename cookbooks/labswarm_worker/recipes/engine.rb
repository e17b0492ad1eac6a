labswarm_engine node['labswarm_base']['instance_id'] || node.read('ec2', 'instance_id') do
  cluster Labswarm::Ground.read(node['labswarm_base']['ground'])['cluster']
  settings node['labswarm_base']['engine'].to_h.merge('dns' => [node['labswarm_base']['dns_server']])
end
