directory '/etc/systemd/journald.conf.d' do
  mode '0755'
end

journal = node['labswarm_base']['journal']
file '/etc/systemd/journald.conf.d/labswarm.conf' do
  content "[Journal]\nStorage=persistent\nSystemMaxUse=#{journal['max_use']}\nMaxRetentionSec=#{journal['max_age']}\nForwardToSyslog=no\n"
  mode '0644'
  notifies :restart, 'service[systemd-journald]'
end

service 'systemd-journald' do
  action :nothing
end
