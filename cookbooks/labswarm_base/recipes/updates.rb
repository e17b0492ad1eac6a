# Security updates by themselves, each day; never a restart in the middle of a class.

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
