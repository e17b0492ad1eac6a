# The logs of the hub, its proxy and the service that applies its document, in CloudWatch: from the journal into files, which
# the agent reads. It cannot be relied on to read the journal itself before its version of 2026.

parts = %w(hub proxy document)

if node['labswarm_base']['metrics']
  directory '/var/log/labswarm' do
    group 'cwagent'
    mode '0750'
  end

  file '/etc/logrotate.d/labswarm' do
    content "/var/log/labswarm/*.log {\n  size 20M\n  rotate 1\n  missingok\n  copytruncate\n}\n"
    mode '0644'
  end

  systemd_unit 'labswarm-log@.service' do
    content(
      'Unit' => { 'Description' => 'The log of labswarm-%i, as a file', 'After' => 'systemd-journald.service' },
      'Service' => {
        'ExecStart' => 'journalctl --follow --lines=0 --output=cat CONTAINER_TAG=labswarm-%i + _SYSTEMD_UNIT=labswarm-%i.service',
        'StandardOutput' => 'append:/var/log/labswarm/%i.log',
        'DynamicUser' => 'yes',
        'SupplementaryGroups' => 'systemd-journal',
        'Restart' => 'always',
        'RestartSec' => 5,
        'CapabilityBoundingSet' => '',
        'PrivateDevices' => 'yes',
        'PrivateNetwork' => 'yes',
        'ProtectHome' => 'yes',
        'ProtectKernelModules' => 'yes',
        'ProtectKernelTunables' => 'yes',
      },
      'Install' => { 'WantedBy' => 'multi-user.target' }
    )
    action :create
  end

  parts.each do |part|
    service "labswarm-log@#{part}.service" do
      action [:enable, :start]
      subscribes :restart, 'systemd_unit[labswarm-log@.service]'
    end
  end
else
  parts.each do |part|
    service "labswarm-log@#{part}.service" do
      action [:stop, :disable]
    end
  end

  systemd_unit 'labswarm-log@.service' do
    action :delete
  end

  file '/etc/logrotate.d/labswarm' do
    action :delete
  end

  directory '/var/log/labswarm' do
    recursive true
    action :delete
  end
end
