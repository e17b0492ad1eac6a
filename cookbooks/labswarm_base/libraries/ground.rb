module Labswarm
  # Terraform's facts about this instance and its cluster.
  module Ground
    # The facts, as a Hash. Raises with the remedy when they are not there.
    def self.read(file)
      JSON.parse(::File.read(file))
    rescue Errno::ENOENT
      raise "#{file} is missing: Terraform's user data writes it (terraform-base/modules/workers and hub)"
    rescue JSON::ParserError => e
      raise "#{file} is no JSON: #{e.message}"
    end
  end
end
