# Mounted into each server, whatever its image: SQLite on the network file system locks up.

directory '/etc/labswarm/class' do
  mode '0755'
end

cookbook_file '/etc/labswarm/class/jupyter_server_config.json' do
  mode '0644'
end

cookbook_file '/etc/labswarm/class/ipython_config.py' do
  mode '0644'
end
