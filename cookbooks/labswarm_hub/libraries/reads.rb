require 'digest'

module Labswarm
  # A service's inputs, as one digest: a service with another digest is made again.
  module Reads
    # A digest of the command line and of each file, by its name and content. A path is a file, or a folder with all that is in it.
    # Raises Errno::ENOENT for a path that is not there: a digest without it would not change when it comes.
    def self.digest(words, paths)
      files = paths.flat_map { |path| files_of(path) }
      contents = files.flat_map { |file| [file, Digest::SHA256.file(file).hexdigest] }
      Digest::SHA256.hexdigest([*words, *contents].join("\0"))
    end

    def self.files_of(path)
      return [path] unless ::File.directory?(path)

      # Python writes its caches by itself; they say nothing new.
      ::Dir.glob('**/*', ::File::FNM_DOTMATCH, base: path).map { |name| ::File.join(path, name) }
           .select { |file| ::File.file?(file) }.reject { |file| file.include?('/__pycache__/') }.sort
    end
    private_class_method :files_of
  end
end
