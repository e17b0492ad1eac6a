if node['labswarm_base']['metrics']
  ground = Labswarm::Ground.read(node['labswarm_base']['ground'])

  labswarm_metrics '/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json' do
    dimensions 'InstanceId' => node['labswarm_base']['instance_id'] || node.read('ec2', 'instance_id')
    # The parts of logs.rb.
    logs %w(hub proxy document).to_h { |part| [part, "/labswarm/#{ground['cluster']}/hub"] }
    disks ground['hub']['data_volume'] ? ['/', node['labswarm_hub']['data']] : ['/']
  end
else
  file '/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json' do
    action :delete
  end
end
