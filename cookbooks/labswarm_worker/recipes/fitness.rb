# docs/reference/lab-hours.md: the worker reports when its homes cannot be used.

systemd_unit 'labswarm-fitness.service' do
  content(
    'Unit' => {
      'Description' => 'Report to the Swarm when the homes cannot be used',
      'After' => 'docker.service',
      'StartLimitIntervalSec' => 0,
    },
    # It sees the machine's own mounts and writes the Engine's settings, so it has no file system of its own.
    'Service' => {
      'ExecStart' => "/usr/local/bin/labswarm-fitness --homes #{node['labswarm_base']['homes']}",
      'Restart' => 'always',
      'RestartSec' => 5,
      'NoNewPrivileges' => 'yes',
      'RestrictAddressFamilies' => 'AF_UNIX',
    },
    'Install' => { 'WantedBy' => 'multi-user.target' }
  )
  action [:create, :enable, :start]
  notifies :restart, 'systemd_unit[labswarm-fitness.service]'
  subscribes :restart, 'labswarm_node_config[/etc/labswarm/node.json]'
end
