module Labswarm
  module Systemd
    # The name of the mount unit of a path: https://www.freedesktop.org/software/systemd/man/systemd.unit.html
    def self.mount_unit(path)
      "#{path.delete_prefix('/').gsub('-', '\\x2d').tr('/', '-')}.mount"
    end
  end
end
