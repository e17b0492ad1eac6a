provides :labswarm_drop_ins
unified_mode true

property :folder, String, name_property: true,
                          description: 'The folder, for root alone.'
property :files, Hash, required: true,
                       description: 'The files, name to text.'

action :write, description: 'Have these files in the folder, and no others: a file of a former converge is removed.' do
  directory new_resource.folder do
    mode '0700'
  end

  new_resource.files.each do |name, text|
    file ::File.join(new_resource.folder, name) do
      content text
      mode '0600'
      sensitive true
    end
  end

  (there - new_resource.files.keys).each do |name|
    file ::File.join(new_resource.folder, name) do
      action :delete
    end
  end
end

action_class do
  def there
    ::Dir.exist?(new_resource.folder) ? ::Dir.children(new_resource.folder).sort : []
  end
end
