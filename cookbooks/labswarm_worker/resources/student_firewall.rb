provides :labswarm_student_firewall
unified_mode true

property :folder, String, name_property: true,
                          description: 'Where the rules are kept.'
property :unreachable, Array, required: true,
                              description: 'The CIDR blocks (IPv4) to which a container cannot begin to talk.'
property :reachable, Array, default: [],
                            description: 'CIDR blocks within those to which it can.'
property :dns_server, String, required: true,
                              description: 'The name server that containers ask.'

UNIT = 'labswarm-student-firewall.service'.freeze

action :apply, description: "Have the firewall of students' containers, now and before Docker starts." do
  service UNIT do
    action :nothing
  end

  file rules_file(4) do
    content rules
    mode '0644'
    # A restart would take Docker with it.
    notifies :reload, "service[#{UNIT}]"
  end

  file rules_file(6) do
    content rules6
    mode '0644'
    notifies :reload, "service[#{UNIT}]"
  end

  systemd_unit UNIT do
    content(
      'Unit' => { 'Description' => "The firewall of students' containers", 'Before' => 'docker.service' },
      'Service' => {
        'Type' => 'oneshot',
        'RemainAfterExit' => 'yes',
        'ExecStart' => commands,
        'ExecReload' => commands,
      },
      # Without it there is no Docker, rather than students who reach everything.
      'Install' => { 'WantedBy' => 'multi-user.target', 'RequiredBy' => 'docker.service' }
    )
    action [:create, :enable, :start]
  end
end

action_class do
  # What forwards to the world passes DOCKER-USER, which Docker leaves as it is; what asks this
  # machine itself passes INPUT. https://docs.docker.com/engine/network/packet-filtering-firewalls/
  def rules
    <<~RULES
      *filter
      :DOCKER-USER - [0:0]
      :LABSWARM-HOST - [0:0]
      -A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
      -A DOCKER-USER -d #{new_resource.dns_server} -p udp --dport 53 -j RETURN
      -A DOCKER-USER -d #{new_resource.dns_server} -p tcp --dport 53 -j RETURN
      #{new_resource.reachable.map { |block| "-A DOCKER-USER -d #{block} -j RETURN\n" }.join.chomp}
      #{new_resource.unreachable.map { |block| "-A DOCKER-USER -d #{block} -j REJECT\n" }.join.chomp}
      -A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT
      COMMIT
    RULES
      .gsub(/\n+/, "\n")
  end

  # Docker gives containers no IPv6 addresses unless told to.
  def rules6
    <<~RULES
      *filter
      :LABSWARM-HOST - [0:0]
      -A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT
      COMMIT
    RULES
  end

  def rules_file(version)
    ::File.join(new_resource.folder, "student-firewall.v#{version}")
  end

  # The chains are made anew in one go; the jumps to them are looked for first.
  def commands
    [
      "/usr/sbin/iptables-restore --wait --noflush #{rules_file(4)}",
      "/usr/sbin/ip6tables-restore --wait --noflush #{rules_file(6)}",
      jump('iptables', 'INPUT'), jump('ip6tables', 'INPUT'), jump('ip6tables', 'FORWARD')
    ]
  end

  def jump(program, chain)
    "/bin/sh -c '#{program} -w -C #{chain} -j LABSWARM-HOST 2>/dev/null || #{program} -w -I #{chain} -j LABSWARM-HOST'"
  end
end
