# Mounted into each server, whatever its image: settings, for SQLite on the network file system locks up, and the extension that
# tells a student before the server's machine goes.

directory '/etc/labswarm/class' do
  mode '0755'
end

cookbook_file '/etc/labswarm/class/jupyter_server_config.json' do
  mode '0644'
end

cookbook_file '/etc/labswarm/class/ipython_config.py' do
  mode '0644'
end

cookbook_file '/etc/labswarm/class/jupyter_server_path.py' do
  mode '0644'
end

cookbook_file '/etc/labswarm/class/labswarm_notice.py' do
  mode '0644'
end
