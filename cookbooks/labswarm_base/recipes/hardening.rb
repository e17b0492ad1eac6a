# After dev-sec's linux-baseline; compliance/profiles/labswarm-node lists the checks and the
# exceptions.

file '/etc/sysctl.d/99-labswarm.conf' do
  content node['labswarm_base']['sysctl'].sort.map { |name, value| "#{name} = #{value}\n" }.join
  mode '0644'
  notifies :restart, 'service[systemd-sysctl]'
end

service 'systemd-sysctl' do
  action :nothing
end

file '/etc/login.defs' do
  content lazy { Labswarm::LoginDefs.with(::File.read('/etc/login.defs'), node['labswarm_base']['login_defs']) }
  mode '0644'
end

file '/etc/security/limits.d/10-labswarm.conf' do
  content "* hard core 0\n"
  mode '0644'
end

# Under the baseline's own name.
file '/etc/modprobe.d/dev-sec.conf' do
  content node['labswarm_base']['unused_modules'].map { |name| "install #{name} /bin/true\n" }.join
  mode '0644'
end

%w(/etc/hosts.equiv /root/.rhosts /root/.netrc).each do |name|
  file name do
    action :delete
  end
end

%w(/etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /etc/cron.d).each do |name|
  directory name do
    owner 'root'
    group 'root'
    mode '0700'
    only_if { ::File.directory?(name) }
  end
end

file '/etc/crontab' do
  owner 'root'
  group 'root'
  mode '0600'
  only_if { ::File.exist?('/etc/crontab') }
end

# Sessions come through the SSM agent, and no security group lets anyone in at 22.
unless node['labswarm_base']['ssh']
  systemd_unit 'ssh.socket' do
    action [:stop, :disable]
  end

  systemd_unit 'ssh.service' do
    action [:stop, :disable]
  end
end

# The files that docker-baseline (1.5 and on) has watched, less the Engine's own data, which changes all the time.
if node['labswarm_base']['audit']
  labswarm_packages 'auditd'

  service 'auditd' do
    action [:enable, :start]
  end

  watched = %w(/usr/bin/dockerd /usr/bin/containerd /usr/bin/runc /etc/docker /etc/default/docker /etc/labswarm)
  file '/etc/audit/rules.d/labswarm.rules' do
    content watched.map { |name| "-w #{name} -p wa -k labswarm\n" }.join
    mode '0640'
    notifies :run, 'execute[augenrules --load]'
  end

  execute 'augenrules --load' do
    action :nothing
  end
else
  file '/etc/audit/rules.d/labswarm.rules' do
    action :delete
    notifies :run, 'execute[augenrules --load]'
  end

  execute 'augenrules --load' do
    only_if { ::File.exist?('/usr/sbin/augenrules') }
    action :nothing
  end
end
