module Labswarm
  # For a resource that has one service of the Swarm: it is made again when its words or a file that it reads have changed.
  # The resource has `words`, those after `docker service create`, and `reads`, files and folders.
  module SwarmService
    LABEL = 'labswarm.digest'.freeze

    def make_service
      service = new_resource.service
      execute "docker service rm #{service}" do
        command ['docker', 'service', 'rm', service]
        only_if { docker_has?('service', service) && !as_wanted? }
      end

      # The ports are the host's: while the former container still ends, the new one's task cannot start.
      execute "docker service create #{service}" do
        command ['docker', 'service', 'create', '--label', "#{LABEL}=#{digest}", *words]
        not_if { as_wanted? }
      end
    end

    # One container on the manager, restarted for ever, with one of this machine's ports. There is no virtual IP and
    # no ingress mesh: only this machine is asked.
    def on_the_manager(port)
      [
        '--detach', '--no-resolve-image', '--name', new_resource.service,
        '--container-label', "#{new_resource.service}=true",
        '--endpoint-mode', 'dnsrr',
        '--publish', "mode=host,published=#{port},target=#{port}",
        '--network', new_resource.network,
        '--constraint', 'node.role==manager',
        '--restart-condition', 'any', '--restart-delay', '1s',
        '--init',
        # The journal keeps the log of a container that Swarm has removed; recipes/logs.rb reads it by this tag.
        '--log-driver', 'journald', '--log-opt', "tag=#{new_resource.service}",
        *new_resource.sysctl.sort.flat_map { |name, value| ['--sysctl', "#{name}=#{value}"] }
      ]
    end

    def bind(from, to, *options)
      ['--mount', ["type=bind,source=#{from},target=#{to}", *options].join(',')]
    end

    def as_wanted?
      service_label(new_resource.service, LABEL) == digest
    end

    def digest
      @digest ||= Labswarm::Reads.digest(words, reads)
    end
  end
end
