provides :labswarm_data_volume
unified_mode true

property :path, String, name_property: true,
                        description: 'Where the volume is mounted.'
property :volume_id, String, required: true, regex: /\Avol-[0-9a-f]+\z/,
                             description: 'The EBS volume.'
property :device, String,
  default: lazy { "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_#{volume_id.delete('-')}" },
  description: 'Its device, as udev names it on Nitro instances.'
property :patience_s, Integer, default: 600,
                               description: 'How long to wait for it (s): Terraform attaches it when the instance runs.'

action :mount, description: "Mount the volume, and have the Swarm's state on it. A new one is formatted." do
  ruby_block "wait for #{new_resource.volume_id}" do
    block { await_device }
    not_if { ::File.exist?(new_resource.device) }
  end

  execute "format #{new_resource.volume_id}" do
    command ['mkfs.ext4', '-q', '-L', 'labswarm', new_resource.device]
    only_if { blank? }
  end

  directory new_resource.path do
    mode '0755'
  end

  systemd_unit Labswarm::Systemd.mount_unit(new_resource.path) do
    content(
      'Unit' => { 'Description' => "The hub's data", 'Before' => 'docker.service' },
      'Mount' => { 'What' => new_resource.device, 'Where' => new_resource.path, 'Type' => 'ext4', 'Options' => 'noatime' },
      'Install' => { 'WantedBy' => 'multi-user.target', 'RequiredBy' => 'docker.service' }
    )
    action [:create, :enable, :start]
  end

  swarm = '/var/lib/docker/swarm'
  directory ::File.join(new_resource.path, 'swarm') do
    mode '0700'
  end

  directory swarm do
    mode '0700'
    recursive true
  end

  # labswarm_engine starts it again. (A restart here and one there would be three starts within the
  # minute in which the unit allows three.)
  service 'docker' do
    action :stop
    not_if { mounted?(swarm) }
  end

  # The next instance is the same manager: its Engine finds the former one's Swarm here.
  systemd_unit Labswarm::Systemd.mount_unit(swarm) do
    content(
      'Unit' => {
        'Description' => "The Swarm's state",
        'Requires' => Labswarm::Systemd.mount_unit(new_resource.path),
        'After' => Labswarm::Systemd.mount_unit(new_resource.path),
        'Before' => 'docker.service',
      },
      'Mount' => { 'What' => ::File.join(new_resource.path, 'swarm'), 'Where' => swarm, 'Type' => 'none', 'Options' => 'bind' },
      'Install' => { 'RequiredBy' => 'docker.service' }
    )
    action [:create, :enable, :start]
  end
end

action_class do
  def mounted?(path)
    !shell_out('mountpoint', '--quiet', path).error?
  end

  def await_device
    deadline = ::Process.clock_gettime(::Process::CLOCK_MONOTONIC) + new_resource.patience_s
    until ::File.exist?(new_resource.device)
      if ::Process.clock_gettime(::Process::CLOCK_MONOTONIC) > deadline
        raise "#{new_resource.device} has not come within #{new_resource.patience_s} s: see that #{new_resource.volume_id} is attached"
      end
      sleep 2
    end
  end

  # blkid(8): 2 when it finds nothing at all. Any other answer is no reason to format a disk.
  def blank?
    shell_out('blkid', '-p', new_resource.device).exitstatus == 2
  end
end
