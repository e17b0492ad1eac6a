# Mounted into each server, in any image: settings, because SQLite on the network file system locks
# up, and the extension that notifies a student before the server's machine is taken away.

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

cookbook_file '/etc/labswarm/class/labswarm_limits.py' do
  mode '0644'
end

cookbook_file '/etc/labswarm/class/overrides.json' do
  mode '0644'
end

# The extension of the page, as `make extension` builds it: its files have other names after each change.
remote_directory '/etc/labswarm/class/jupyterlab-labswarm' do
  source 'jupyterlab-labswarm'
  mode '0755'
  files_mode '0644'
  purge true
end
