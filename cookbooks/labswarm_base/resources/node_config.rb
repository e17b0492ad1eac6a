provides :labswarm_node_config
unified_mode true

property :path, String, name_property: true,
                        description: "The file's path."
property :ground, Hash, required: true,
                        description: "Terraform's facts about the instance and its cluster."
property :instance_id, String, required: true, regex: /\Ai-[0-9a-f]{8,17}\z/,
                               description: "The instance's id."
property :address, String, required: true,
                           description: 'The address at which the other nodes reach this one.'
property :chef_client, String, default: 'chef-client',
                               description: 'The command of its chef-client.'
property :policy, [String, nil],
  description: "The policy that it converges by, from its cluster's policy group; none: the role that the app names."
property :hub, [Hash, nil],
  description: "On the hub: `api_url` of its API, `token_file` with the manager's token, `proxy_url` of students' servers."

action :write, description: 'Write what node/labswarm_node/config.py reads.' do
  directory ::File.dirname(new_resource.path) do
    mode '0755'
  end

  file ca_file do
    content new_resource.ground['chef']['ca_pem']
    mode '0644'
    only_if { new_resource.ground['chef']['ca_pem'] }
  end

  file new_resource.path do
    content "#{JSON.pretty_generate(node_json)}\n"
    # It has no secret in it, and the snapshot service is not root.
    mode '0644'
  end
end

action_class do
  def beside(name)
    ::File.join(::File.dirname(new_resource.path), name)
  end

  def ca_file
    beside('chef-ca.pem')
  end

  def node_json
    ground = new_resource.ground
    {
      'cluster' => ground['cluster'],
      'instance_id' => new_resource.instance_id,
      'role' => ground['role'],
      'region' => ground['region'],
      'docker_host' => 'unix:///var/run/docker.sock',
      'advertise_address' => new_resource.address,
      'join_secret' => ground['join_secret'],
      'images' => ground['images'],
      'chef' => {
        'url' => ground['chef']['url'],
        'organization' => ground['chef']['organization'],
        'ca_file' => ground['chef']['ca_pem'] && ca_file,
        'node_name' => "#{ground['cluster']}-#{new_resource.instance_id}",
        'key_file' => beside('chef/client.pem'),
        'client' => new_resource.chef_client,
        'policy_name' => new_resource.policy,
        'policy_group' => new_resource.policy && ground['cluster'],
      },
      'hub' => new_resource.hub,
      # Of an app that has another prefix than the usual one.
      'prefix' => ground['prefix'],
    }.compact
  end
end
