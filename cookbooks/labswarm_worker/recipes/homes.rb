efs = Labswarm::Ground.read(node['labswarm_base']['ground'])['efs']

if efs
  labswarm_homes node['labswarm_base']['homes'] do
    file_system_id efs['file_system_id']
    access_point_id efs['access_point_id']
  end
else
  directory node['labswarm_base']['homes'] do
    mode '0711'
  end
end
