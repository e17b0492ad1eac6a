provides :labswarm_packages
unified_mode true

property :packages, Array, default: lazy { [name] },
                           description: "The packages; without them the resource's name is one."

action :install, description: 'Have the packages; ask for newer package lists only where one is missing.' do
  wanted = new_resource.packages.to_a

  # An image has them all and no lists, and a private subnet may not reach the archive.
  apt_update 'package lists' do
    action :update
    not_if { wanted.all? { |package| installed?(package) } }
  end

  package wanted do
    options '--no-install-recommends'
    timeout 600
  end
end

action_class do
  def installed?(package)
    shell_out('dpkg-query', '-W', '-f', '${db:Status-Status}', package).stdout == 'installed'
  end
end
