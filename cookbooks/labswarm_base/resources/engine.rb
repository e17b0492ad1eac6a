provides :labswarm_engine
unified_mode true

property :instance_id, String, name_property: true, regex: /\Ai-[0-9a-f]{8,17}\z/,
                               description: "The instance's id; the Swarm's node has it as a label."
property :cluster, String, required: true,
                           description: 'The cluster whose node it is.'
property :settings, Hash, required: true,
                          description: 'Further settings of the daemon (daemon.json).'
property :restart_member, [true, false], default: false,
                                         description: 'Whether an Engine that is in a Swarm may be restarted, which ends its containers.'

action :configure, description: 'Configure the Docker Engine and start it.' do
  directory '/etc/docker' do
    mode '0755'
  end

  service 'docker' do
    action :enable
  end

  # Before daemon.json, which names it: without the file the Engine does not start. It reads it when it starts.
  if new_resource.settings['seccomp-profile']
    cookbook_file new_resource.settings['seccomp-profile'] do
      cookbook 'labswarm_base'
      source 'seccomp.json'
      mode '0644'
      notifies :restart, 'service[docker]', :immediately if ::File.exist?('/etc/docker/daemon.json')
      not_if { keep_running? }
    end
  end

  file '/etc/docker/daemon.json' do
    content "#{JSON.pretty_generate(daemon_json)}\n"
    mode '0644'
    notifies :restart, 'service[docker]', :immediately
    not_if { keep_running? }
  end

  service 'docker' do
    action :start
  end
end

action_class do
  include Labswarm::EngineState

  # A restart of a worker that has joined ends the students' servers: new settings come with the next image.
  def keep_running?
    !new_resource.restart_member && swarm_state != 'inactive'
  end

  def daemon_json
    labels = ["labswarm.instance=#{new_resource.instance_id}", "labswarm.cluster=#{new_resource.cluster}"]
    new_resource.settings.to_h.merge('labels' => labels)
  end
end
