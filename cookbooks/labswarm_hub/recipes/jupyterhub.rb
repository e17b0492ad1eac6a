hub = node['labswarm_hub']
unless hub['authenticator']
  raise 'labswarm_hub.authenticator is not set: name the JupyterHub authenticator that checks who logs in, and its settings in labswarm_hub.conf'
end

ground = Labswarm::Ground.read(node['labswarm_base']['ground'])
homes = node['labswarm_base']['homes']
data = ::File.join(hub['data'], 'hub')
# Written here; labswarm-document writes the values of the hub's document over it, into hub.json.
base_file = ::File.join(data, 'base.json')
settings_file = ::File.join(data, 'hub.json')

if ground['efs']
  labswarm_homes homes do
    file_system_id ground['efs']['file_system_id']
    access_point_id ground['efs']['access_point_id']
  end
else
  directory homes do
    mode '0711'
  end
end

# The only secret that is kept here; the hub, in its container, and labswarm-manager read it, and systemd for labswarm-snapshot.
file node['labswarm_base']['hub_token_file'] do
  content lazy { "#{SecureRandom.hex(32)}\n" }
  mode '0600'
  sensitive true
  action :create_if_missing
end

# The token of the page for instructors, which may do less.
file hub['labs_token_file'] do
  content lazy { "#{SecureRandom.hex(32)}\n" }
  mode '0600'
  sensitive true
  action :create_if_missing
end

labswarm_drop_ins ::File.join(data, 'conf.d') do
  files hub['conf'].to_h
end

# The last five are the logins of the hub's document: docs/how-to/login.md.
packages = %w(dockerspawner==14.0.0 jupyterhub-idle-culler==2.0.0 jupyterhub-firstuseauthenticator==1.1.1 jupyterhub-ldapauthenticator==2.0.2
              jupyterhub-ltiauthenticator==1.6.3 jupyterhub-nativeauthenticator==1.3.0 oauthenticator==17.4.0) + hub['python_packages'].to_a
dockerfile = "FROM quay.io/jupyterhub/jupyterhub:6.1.1\nRUN python3 -m pip install --no-cache-dir #{packages.join(' ')}\n"
image = hub['image'] || "labswarm-hub:#{Labswarm::Image.tag(dockerfile)}"

if hub['image']
  directory '/etc/labswarm/hub-image' do
    recursive true
    action :delete
  end
else
  directory '/etc/labswarm/hub-image' do
    mode '0755'
  end

  file '/etc/labswarm/hub-image/Dockerfile' do
    content dockerfile
    mode '0644'
  end

  labswarm_image image do
    folder '/etc/labswarm/hub-image'
  end
end

labswarm_hub_settings base_file do
  settings(
    'cluster' => ground['cluster'],
    'image' => ground['images'].first,
    'command' => hub['command'].to_a,
    'homes' => homes,
    'network' => Labswarm::Hub::NETWORK,
    'docker_host' => 'unix:///var/run/docker.sock',
    'hub_name' => Labswarm::Hub::SERVICE,
    'data_dir' => '/srv/labswarm',
    'authenticator' => hub['authenticator'],
    'admins' => hub['admins'].to_a,
    'manager_token_file' => "/srv/labswarm/#{::File.basename(node['labswarm_base']['hub_token_file'])}",
    'labs' => {
      'url' => "http://#{node['labswarm_base']['address'] || node.read('ec2', 'local_ipv4')}:8002",
      'token_file' => "/srv/labswarm/#{::File.basename(hub['labs_token_file'])}",
      'instructors' => hub['instructors'].to_h,
      'members' => hub['members'].to_h,
    },
    'read_only_mounts' => hub['read_only_mounts'].to_h,
    'environment' => hub['environment'].to_h,
    'conf_dir' => '/srv/labswarm/conf.d',
    'idle_timeout_s' => hub['idle_timeout_s'],
    'idle_warning_s' => hub['idle_warning_s'],
    'longest_server_s' => hub['longest_server_s'],
    'hours_per_week' => hub['hours_per_week']
  )
  limit hub['limit'].to_h
  profiles hub['profiles'].to_h
  # Terraform describes the cluster when its hub is there.
  retries 20
  retry_delay 15
end

# A hub's first start; from then on the file is labswarm-document's.
file settings_file do
  content lazy { ::File.read(base_file) }
  mode '0600'
  sensitive true
  action :create_if_missing
end

labswarm_hub_service Labswarm::Hub::SERVICE do
  image image
  network Labswarm::Hub::NETWORK
  data data
  homes homes
  source hub['source']
  sysctl hub['sysctl'].to_h
  settings_file settings_file
  reads [
    ::File.join(data, 'conf.d'), node['labswarm_base']['hub_token_file'], hub['labs_token_file'],
    ::File.join(data, 'proxy/token')
  ]
end
