provides :labswarm_hub_service
unified_mode true

property :service, String, name_property: true,
                           description: "The service's name; students' servers and the proxy reach the hub under it."
property :image, String, required: true,
                         description: 'The image that the hub runs in.'
property :network, String, required: true,
                           description: 'The overlay network of the servers.'
property :data, String, required: true,
                        description: "The hub's folder on this machine; in the container it is /srv/labswarm."
property :homes, String, required: true,
                         description: "The homes' folder, here and in the container."
property :source, String, required: true,
                          description: "The folder with this repository's hub and layers."
property :sysctl, Hash, default: {},
                        description: "Kernel parameters of the hub's own network, by name."
property :settings_file, String, required: true,
                                 description: "The file with the hub's settings. labswarm-document restarts the hub when they change."
property :reads, Array, default: [],
                        description: 'Further files and folders that the hub reads. A change in one of them or in the source makes the service again.'

# Where the parts are inside the container.
HUB = '/opt/labswarm/hub'.freeze
LAYER = '/opt/labswarm/layer'.freeze
DATA = '/srv/labswarm'.freeze
SOCKET = '/var/run/docker.sock'.freeze

action :run, description: "Have JupyterHub as a service of the Swarm, made again when anything that it reads has changed. Students' servers and the proxy go on." do
  make_service
end

action_class do
  include Labswarm::EngineState
  include Labswarm::SwarmService

  def reads
    [*sources.keys, *new_resource.reads]
  end

  def words
    [
      *on_the_manager(8081), '--workdir', DATA, *mounts, *environment,
      '--entrypoint', 'python3 -m jupyterhub',
      new_resource.image,
      '--config', "#{HUB}/jupyterhub_config.py"
    ]
  end

  def sources
    {
      ::File.join(new_resource.source, 'hub') => HUB,
      ::File.join(new_resource.source, 'layers/labswarm') => LAYER,
    }
  end

  def mounts
    writable = {
      new_resource.data => DATA,
      new_resource.homes => new_resource.homes,
      SOCKET => SOCKET,
    }
    sources.flat_map { |from, to| bind(from, to, 'readonly') } + writable.flat_map { |from, to| bind(from, to) }
  end

  def environment
    {
      'HOME' => DATA,
      'LABSWARM_HUB_CONFIG' => ::File.join(DATA, ::File.basename(new_resource.settings_file)),
      'PYTHONDONTWRITEBYTECODE' => '1',
      'PYTHONPATH' => "#{HUB}:#{LAYER}",
    }.flat_map { |name, value| ['--env', "#{name}=#{value}"] }
  end
end
