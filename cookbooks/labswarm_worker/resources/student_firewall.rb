provides :labswarm_student_firewall
unified_mode true

property :folder, String, name_property: true,
                          description: 'Where its configuration is kept.'
property :unreachable, Array, required: true,
                              callbacks: { 'has to name a block: without one nothing would be refused' => ->(blocks) { !blocks.empty? } },
                              description: 'The CIDR blocks (IPv4) to which a container cannot begin to talk.'
property :reachable, Array, default: [],
                            description: 'CIDR blocks within those to which it can.'
property :dns_server, String, required: true,
                              description: 'The name server that containers ask.'

UNIT = 'labswarm-student-firewall.service'.freeze
PROGRAM = '/usr/local/sbin/labswarm-student-firewall'.freeze

action :apply, description: "Have the firewall of students' containers, now and before Docker starts." do
  service UNIT do
    action :nothing
  end

  # The rules; the lab's workers are given them by the same program.
  cookbook_file PROGRAM do
    cookbook 'labswarm_worker'
    mode '0755'
    # A restart would take Docker with it.
    notifies :reload, "service[#{UNIT}]"
  end

  file conf do
    content "unreachable='#{new_resource.unreachable.join(' ')}'\nreachable='#{new_resource.reachable.join(' ')}'\ndns_server='#{new_resource.dns_server}'\n"
    mode '0644'
    notifies :reload, "service[#{UNIT}]"
  end

  systemd_unit UNIT do
    content(
      'Unit' => { 'Description' => "The firewall of students' containers", 'Before' => 'docker.service' },
      'Service' => {
        'Type' => 'oneshot',
        'RemainAfterExit' => 'yes',
        'ExecStart' => "#{PROGRAM} #{conf}",
        'ExecReload' => "#{PROGRAM} #{conf}",
      },
      # Without it there is no Docker, rather than students who reach everything.
      'Install' => { 'WantedBy' => 'multi-user.target', 'RequiredBy' => 'docker.service' }
    )
    action [:create, :enable, :start]
  end
end

action_class do
  def conf
    ::File.join(new_resource.folder, 'student-firewall.conf')
  end
end
