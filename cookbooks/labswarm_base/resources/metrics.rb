provides :labswarm_metrics
unified_mode true

property :path, String, name_property: true,
                        description: "The CloudWatch agent's configuration."
property :dimensions, Hash, required: true,
                            description: 'The only dimensions of the memory metric, fixed; the disk metric has its path too.'
property :disks, Array, default: ['/'],
                        description: 'The paths whose disk usage it reports.'

property :logs, Hash, default: {},
                      description: 'The log groups of the files /var/log/labswarm/NAME.log, by NAME, which is also the stream.'

action :collect, description: 'Configure the CloudWatch agent, which is in the image, and start it.' do
  service 'amazon-cloudwatch-agent' do
    action :enable
  end

  file new_resource.path do
    content "#{JSON.pretty_generate(agent_json)}\n"
    mode '0644'
    notifies :restart, 'service[amazon-cloudwatch-agent]', :immediately
  end

  service 'amazon-cloudwatch-agent' do
    action :start
  end
end

action_class do
  # Fixed dimensions, for ${aws:AutoScalingGroupName} would need ec2:DescribeTags. Without the host's
  # name each worker adds to the one metric that the group's policy tracks.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
  def agent_json
    dimensions = new_resource.dimensions.to_h
    {
      'agent' => { 'metrics_collection_interval' => 60, 'omit_hostname' => true, 'run_as_user' => 'cwagent' },
      'metrics' => {
        'namespace' => 'CWAgent',
        'metrics_collected' => {
          'mem' => { 'measurement' => ['mem_used_percent'], 'append_dimensions' => dimensions },
          'disk' => {
            'measurement' => ['disk_used_percent'],
            'resources' => new_resource.disks.to_a,
            'drop_device' => true,
            'append_dimensions' => dimensions,
          },
        },
      },
    }.merge(logs_json)
  end

  def logs_json
    return {} if new_resource.logs.empty?

    files = new_resource.logs.map do |name, group|
      { 'file_path' => "/var/log/labswarm/#{name}.log", 'log_group_name' => group, 'log_stream_name' => name }
    end
    { 'logs' => { 'logs_collected' => { 'files' => { 'collect_list' => files } } } }
  end
end
