# docs/reference/hub-document.md: the service writes the hub's settings file, and restarts the hub.

prefix = Labswarm::Ground.read(node['labswarm_base']['ground'])['prefix']

systemd_unit 'labswarm-document.service' do
  content(
    'Unit' => {
      'Description' => "Apply the hub's document",
      'Wants' => 'network-online.target',
      'After' => 'docker.service network-online.target',
      'StartLimitIntervalSec' => 0,
    },
    'Service' => {
      'ExecStart' => "#{node['labswarm_hub']['document_command']} --folder #{::File.join(node['labswarm_hub']['data'], 'hub')}",
      # Of an app that has another prefix than the usual one.
      'Environment' => prefix && "LABSWARM_PREFIX=#{prefix}",
      # A person may have repaired a permanent failure.
      'Restart' => 'always',
      'RestartSec' => 5,
      # The hub's settings and their secrets are for root alone.
      'User' => 'root',
      'CapabilityBoundingSet' => '',
      'NoNewPrivileges' => 'yes',
      'PrivateDevices' => 'yes',
      'PrivateTmp' => 'yes',
      'ProtectControlGroups' => 'yes',
      'ProtectHome' => 'yes',
      'ProtectKernelModules' => 'yes',
      'ProtectKernelTunables' => 'yes',
      'ProtectSystem' => 'strict',
      'ReadWritePaths' => ::File.join(node['labswarm_hub']['data'], 'hub'),
      'RestrictAddressFamilies' => 'AF_INET AF_INET6 AF_UNIX',
    }.compact,
    'Install' => { 'WantedBy' => 'multi-user.target' }
  )
  action [:create, :enable, :start]
  notifies :restart, 'systemd_unit[labswarm-document.service]'
  # The service reads it when it starts.
  subscribes :restart, 'labswarm_node_config[/etc/labswarm/node.json]'
end
