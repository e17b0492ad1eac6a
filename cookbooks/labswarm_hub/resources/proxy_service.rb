provides :labswarm_proxy_service
unified_mode true

property :service, String, name_property: true,
                           description: "The service's name."
property :image, String, required: true,
                         description: 'The image with configurable-http-proxy and Node.js.'
property :command, Array, required: true,
                          description: 'The proxy, as it is called in its image.'
property :network, String, required: true,
                           description: 'The overlay network of the servers.'
property :folder, String, required: true,
                          description: 'The folder that the proxy shares with the hub alone: its token, and the socket of its API.'
property :source, String, required: true,
                          description: "The folder with this repository's hub."
property :sysctl, Hash, default: {},
                        description: "Kernel parameters of the proxy's own network, by name."
property :memory, String, required: true,
                          description: 'The most memory that it may use, as Docker writes it.'

# Where its files are inside the container.
PROXY = '/opt/labswarm/proxy'.freeze

action :run, description: 'Have the proxy as a service of the Swarm, made again when anything that it reads has changed: then all pages connect again.' do
  make_service
end

action_class do
  include Labswarm::EngineState
  include Labswarm::SwarmService

  def reads
    [files, ::File.join(new_resource.folder, 'token')]
  end

  def words
    [
      *on_the_manager(8000), '--user', '65534:65534', '--read-only', '--cap-drop', 'ALL',
      '--limit-memory', new_resource.memory,
      # While the hub is away its name is not known here, and other name servers are asked.
      '--dns-option', 'timeout:2', '--dns-option', 'attempts:1',
      # A program that stays up without its port is as bad as one that has ended. A busy one is not: all
      # connections would be cut.
      '--health-cmd', "node #{PROXY}/healthy.js", '--health-interval', '15s', '--health-timeout', '10s', '--health-retries', '4',
      *bind(files, PROXY, 'readonly'), *bind(new_resource.folder, '/run/proxy'),
      '--entrypoint', "sh #{PROXY}/start.sh",
      new_resource.image,
      *new_resource.command
    ]
  end

  def files
    ::File.join(new_resource.source, 'hub/proxy')
  end
end
