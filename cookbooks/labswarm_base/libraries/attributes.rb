require 'did_you_mean'

module Labswarm
  # A person's attributes under our cookbooks' names. One that is spelled wrong must not count as absent.
  module Attributes
    COOKBOOKS = %w(labswarm_base labswarm_hub labswarm_worker).freeze
    NAME = /\A[a-z][a-z0-9_]*\z/

    # Raises for the first attribute that no attributes file of the cookbooks sets: its name, and the nearest known one.
    # `known` are the attributes files' values, and `given` those of the node, its role and its policy too.
    def self.check(known, given)
      given.each_key do |name|
        next unless name.start_with?('labswarm')
        refuse(name, COOKBOOKS) unless COOKBOOKS.include?(name)
        # A worker has no cookbook of the hub, whose attributes say nothing to it.
        compare(known[name], given[name], name) if known.key?(name)
      end
    end

    def self.compare(known, given, path)
      return unless given.respond_to?(:each_key) && structure?(known)
      given.each_key do |key|
        refuse("#{path}.#{key}", known.keys) unless known.key?(key)
        compare(known[key], given[key], "#{path}.#{key}")
      end
    end

    # A Hash that is empty, or has paths or other texts as its keys, takes any key.
    def self.structure?(known)
      known.respond_to?(:each_key) && !known.empty? && known.keys.all? { |key| NAME.match?(key) }
    end

    def self.refuse(path, known)
      nearest = DidYouMean::SpellChecker.new(dictionary: known).correct(path.split('.').last).first
      remedy = nearest ? "did you mean '#{nearest}'?" : "it is one of #{known.sort.join(', ')}"
      raise ArgumentError, "the attribute #{path} is not known; #{remedy}"
    end
    private_class_method :compare, :structure?, :refuse
  end
end
