# Requests to AWS and to the Chef Server are signed with the time: minutes of difference are refused.

file '/etc/chrony/sources.d/labswarm.sources' do
  content "server #{node['labswarm_base']['time_server']} prefer iburst minpoll 4 maxpoll 4\n"
  mode '0644'
  notifies :restart, 'service[chrony]'
end

service 'chrony' do
  action [:enable, :start]
end
