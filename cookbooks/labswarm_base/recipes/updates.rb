# Security updates each day; none restarts the machine or its containers in the middle of a class.

file '/etc/apt/apt.conf.d/20auto-upgrades' do
  content <<~CONF
    APT::Periodic::Update-Package-Lists "1";
    APT::Periodic::Unattended-Upgrade "1";
    APT::Periodic::AutocleanInterval "7";
  CONF
  mode '0644'
end

kept = node['labswarm_base']['kept_packages'].map { |name| "  \"^#{Regexp.escape(name)}$\";\n" }.join
file '/etc/apt/apt.conf.d/52labswarm' do
  content <<~CONF
    Unattended-Upgrade::Automatic-Reboot "false";
    Unattended-Upgrade::Package-Blacklist {
    #{kept.chomp}
    };
  CONF
  mode '0644'
end

engine_updates = node['labswarm_base']['engine_updates']

systemd_unit 'labswarm-engine-update.service' do
  content(
    'Unit' => {
      'Description' => 'Update the Docker Engine, whose containers end with its restart',
      'After' => 'network-online.target',
      'Wants' => 'network-online.target',
    },
    'Service' => {
      'Type' => 'oneshot',
      'Environment' => 'DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1',
      'ExecStart' => [
        'apt-get -q update',
        "apt-get -q -o DPkg::Lock::Timeout=600 install -y --only-upgrade #{node['labswarm_base']['kept_packages'].join(' ')}",
      ],
    }
  )
  action engine_updates ? :create : :delete
end

systemd_unit 'labswarm-engine-update.timer' do
  content(
    'Unit' => { 'Description' => 'Update the Docker Engine when no class is expected' },
    'Timer' => { 'OnCalendar' => engine_updates, 'Persistent' => 'false' },
    'Install' => { 'WantedBy' => 'timers.target' }
  )
  action engine_updates ? [:create, :enable, :start] : [:stop, :disable, :delete]
end
