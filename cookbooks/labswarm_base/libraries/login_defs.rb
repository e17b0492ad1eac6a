module Labswarm
  module LoginDefs
    # The text of login.defs with these settings, each where it stood or at the end.
    def self.with(text, settings)
      settings.reduce(text) do |lines, (name, value)|
        wanted = "#{name}\t\t#{value}"
        set = /^#{name}\s.*$/
        lines.match?(set) ? lines.gsub(set, wanted) : "#{lines.chomp}\n#{wanted}\n"
      end
    end
  end
end
