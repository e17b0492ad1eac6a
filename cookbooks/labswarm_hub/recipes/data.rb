# The data that outlives the instance: the Swarm's state, the hub's database, the certificates.

ground = Labswarm::Ground.read(node['labswarm_base']['ground'])
data = node['labswarm_hub']['data']

if ground['hub']['data_volume']
  labswarm_data_volume data do
    volume_id ground['hub']['data_volume']
  end
else
  directory data do
    mode '0755'
  end
end

directory ::File.join(data, 'hub') do
  mode '0700'
end
