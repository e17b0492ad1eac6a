# docs/reference/snapshot.md

prefix = Labswarm::Ground.read(node['labswarm_base']['ground'])['prefix']

systemd_unit 'labswarm-snapshot.service' do
  content(
    'Unit' => {
      'Description' => "Report the Swarm's state to AWS",
      'Wants' => 'network-online.target',
      'After' => 'docker.service network-online.target',
      'StartLimitIntervalSec' => 0,
    },
    'Service' => {
      'ExecStart' => node['labswarm_hub']['snapshot_command'],
      # Of an app that has another prefix than the usual one.
      'Environment' => prefix && "LABSWARM_PREFIX=#{prefix}",
      # A person may have repaired a permanent failure.
      'Restart' => 'always',
      'RestartSec' => 5,
      'DynamicUser' => 'yes',
      'SupplementaryGroups' => 'docker',
      # The file is for root alone, and this service is nobody in particular.
      'LoadCredential' => "hub-token:#{node['labswarm_base']['hub_token_file']}",
      'CapabilityBoundingSet' => '',
      'PrivateDevices' => 'yes',
      'ProtectControlGroups' => 'yes',
      'ProtectHome' => 'yes',
      'ProtectKernelModules' => 'yes',
      'ProtectKernelTunables' => 'yes',
      'RestrictAddressFamilies' => 'AF_INET AF_INET6 AF_UNIX',
    }.compact,
    'Install' => { 'WantedBy' => 'multi-user.target' }
  )
  action [:create, :enable, :start]
  notifies :restart, 'systemd_unit[labswarm-snapshot.service]'
  # The service reads both when it starts; of the token systemd makes a copy then.
  subscribes :restart, 'labswarm_node_config[/etc/labswarm/node.json]'
  subscribes :restart, "file[#{node['labswarm_base']['hub_token_file']}]"
end
