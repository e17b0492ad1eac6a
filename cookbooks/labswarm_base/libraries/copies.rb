require 'digest'

module Labswarm
  # The cookbooks are in the image, for boot, and on the Chef Server, for the launch.
  module Copies
    PARTS = '{attributes,files,libraries,recipes,resources,templates}/**/*'.freeze

    # The files of the cookbooks in the folder `run` that the folder `image` has with another content, or that only one of them has.
    # Cookbooks that one of the folders lacks are no difference: a worker's run has no labswarm_hub.
    def self.differing(run, image)
      (cookbooks_in(run) & cookbooks_in(image)).flat_map do |cookbook|
        here, there = [run, image].map { |folder| digests(::File.join(folder, cookbook)) }
        (here.keys | there.keys).reject { |file| here[file] == there[file] }.map { |file| "#{cookbook}/#{file}" }
      end.sort
    end

    def self.cookbooks_in(folder)
      ::Dir.glob('labswarm_*', base: folder)
    end

    def self.digests(cookbook)
      files = ::Dir.glob(PARTS, base: cookbook).select { |name| ::File.file?(::File.join(cookbook, name)) }
      files.to_h { |name| [name, Digest::SHA256.file(::File.join(cookbook, name)).hexdigest] }
    end
    private_class_method :cookbooks_in, :digests
  end
end
