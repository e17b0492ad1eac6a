provides :labswarm_homes
unified_mode true

property :path, String, name_property: true,
                        description: 'Where the homes are mounted.'
property :file_system_id, String, required: true, regex: /\Afs-[0-9a-f]+\z/,
                                  description: 'The EFS file system.'
property :access_point_id, String, required: true, regex: /\Afsap-[0-9a-f]+\z/,
                                   description: "The cluster's access point, which makes everyone the homes' user."

action :mount, description: "Mount the homes, with TLS and the instance's own role." do
  # The folder below the mount cannot be written to: a home made in it would be lost.
  directory new_resource.path do
    not_if { ::File.exist?(new_resource.path) }
  end

  execute "chattr +i #{new_resource.path}" do
    command ['chattr', '+i', new_resource.path]
    not_if { mounted? || immutable? }
  end

  # A unit and not the mount resource: with TLS what is mounted is the tunnel's end on this machine,
  # and the resource, finding another device, would mount it again at each run.
  # https://docs.aws.amazon.com/efs/latest/ug/mounting-access-points.html
  systemd_unit Labswarm::Systemd.mount_unit(new_resource.path) do
    content(
      'Unit' => {
        'Description' => "Students' homes",
        'Wants' => 'network-online.target',
        'After' => 'network-online.target',
        'Before' => 'docker.service',
      },
      'Mount' => {
        'What' => "#{new_resource.file_system_id}:/",
        'Where' => new_resource.path,
        'Type' => 'efs',
        'Options' => "_netdev,noresvport,tls,iam,accesspoint=#{new_resource.access_point_id}",
        'TimeoutSec' => 120,
      },
      'Install' => { 'WantedBy' => 'multi-user.target docker.service' }
    )
    action [:create, :enable, :start]
  end
end

action_class do
  def mounted?
    !shell_out('mountpoint', '--quiet', new_resource.path).error?
  end

  def immutable?
    shell_out('lsattr', '-d', new_resource.path).stdout.split.first.to_s.include?('i')
  end
end
