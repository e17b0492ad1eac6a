module Labswarm
  # Questions to this machine's Docker Engine; nothing here changes it.
  module EngineState
    # Swarm's LocalNodeState: inactive, pending, active, error or locked; inactive without an Engine.
    def swarm_state
      answer = docker('info', '--format', '{{.Swarm.LocalNodeState}}')
      state = answer.error? ? '' : answer.stdout.strip
      state.empty? ? 'inactive' : state
    end

    def swarm_manager?
      docker('info', '--format', '{{.Swarm.ControlAvailable}}').stdout.strip == 'true'
    end

    # Whether the Engine has a network, image or service of this name.
    def docker_has?(kind, name)
      !docker(kind, 'inspect', name).error?
    end

    # A label of a Swarm service; empty without either.
    def service_label(service, label)
      answer = docker('service', 'inspect', '--format', "{{index .Spec.Labels \"#{label}\"}}", service)
      answer.error? ? '' : answer.stdout.strip
    end

    private

    def docker(*words)
      shell_out('docker', *words)
    rescue Errno::ENOENT
      shell_out('false')
    end
  end
end
