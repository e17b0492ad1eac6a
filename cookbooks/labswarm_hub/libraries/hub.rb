module Labswarm
  module Hub
    SERVICE = 'labswarm-hub'.freeze
    NETWORK = 'labswarm'.freeze
    TOOL = '/usr/local/sbin/labswarm-hub'.freeze
  end
end
