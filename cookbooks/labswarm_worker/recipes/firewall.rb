labswarm_student_firewall '/etc/labswarm' do
  unreachable((node['labswarm_worker']['unreachable'].to_a | Labswarm::Vpc.blocks(node)).sort)
  reachable node['labswarm_worker']['reachable'].to_a
  dns_server node['labswarm_base']['dns_server']
end
