provides :labswarm_hub_settings
unified_mode true

property :path, String, name_property: true,
                        description: "The file's path."
property :settings, Hash, required: true,
                          description: 'The settings that are not in the descriptions: all of hub/labswarm_hub/settings.py but those of seats, groups and profiles.'
property :limit, Hash, required: true,
                       description: "The limits of a server: `memory_factor` times its seat's memory, `nano_cpus` (or its seat's, where that is more), `pids`."

property :profiles, Hash, default: {},
                          description: "The students' choices: name to `title` and `group`. Empty: each group of workers, where there is more than one."

action :write, description: "Write what hub/labswarm_hub/settings.py reads; how big seats are comes from the clusters' descriptions." do
  file new_resource.path do
    content "#{JSON.pretty_generate(hub_json)}\n"
    mode '0600'
  end
end

action_class do
  # Read again at each run: a copy could differ from the functions' values.
  def description
    JSON.parse(shell_out!(Labswarm::Hub::TOOL, 'description').stdout)
  end

  def hub_json
    described = description
    groups = described['groups']
    new_resource.settings.to_h.merge(
      room(described),
      'groups' => groups.transform_values { |group| room(group).merge('image' => group['image']) },
      'profiles' => new_resource.profiles.empty? ? choice(groups.keys) : new_resource.profiles.to_h
    )
  end

  # A server's guarantee and its limits.
  def room(described)
    seat = described['seat']
    limit = new_resource.limit
    {
      'seat' => seat,
      'overhead' => described['overhead'],
      'limit' => {
        'memory_bytes' => (seat['memory_bytes'] * limit['memory_factor']).to_i,
        'nano_cpus' => [limit['nano_cpus'], seat['nano_cpus']].max,
        'pids' => limit['pids'],
      },
    }
  end

  def choice(groups)
    return {} if groups.empty?

    further = groups.to_h { |group| [group, { 'title' => "A notebook in group #{group}", 'group' => group }] }
    { 'notebook' => { 'title' => 'A notebook' } }.merge(further)
  end
end
