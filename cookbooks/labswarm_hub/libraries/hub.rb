module Labswarm
  module Hub
    SERVICE = 'labswarm-hub'.freeze
    PROXY = 'labswarm-proxy'.freeze
    NETWORK = 'labswarm'.freeze
    TOOL = '/usr/local/sbin/labswarm-hub'.freeze
  end
end
