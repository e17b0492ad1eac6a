if node['labswarm_base']['metrics']
  cluster = Labswarm::Ground.read(node['labswarm_base']['ground'])['cluster']

  labswarm_metrics '/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json' do
    dimensions 'AutoScalingGroupName' => "labswarm-#{cluster}-workers"
  end
else
  file '/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json' do
    action :delete
  end
end
