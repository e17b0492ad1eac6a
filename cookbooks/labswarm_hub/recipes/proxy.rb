# The proxy, through which every request of a student goes. It goes on while the hub restarts.

hub = node['labswarm_hub']
folder = ::File.join(hub['data'], 'hub/proxy')
# Nobody's, who owns nothing else.
proxy = 65_534

directory folder do
  owner proxy
  group proxy
  mode '0700'
end

file ::File.join(folder, 'token') do
  content lazy { "#{SecureRandom.hex(32)}\n" }
  owner proxy
  group proxy
  mode '0400'
  sensitive true
  action :create_if_missing
end

labswarm_proxy_service Labswarm::Hub::PROXY do
  image hub['proxy_image']
  command hub['proxy_command'].to_a
  network Labswarm::Hub::NETWORK
  folder folder
  source hub['source']
  sysctl hub['sysctl'].to_h
  memory hub['proxy_memory']
end
