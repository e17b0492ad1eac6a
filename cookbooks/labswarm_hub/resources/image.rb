provides :labswarm_image
unified_mode true

property :image, String, name_property: true,
                         description: "The image's name and tag. The tag must change with its sources: see `Labswarm::Image.tag`."
property :folder, String, required: true,
                          description: 'The folder with its Dockerfile.'

action :build, description: 'Build the image if it is not there.' do
  execute "docker build #{new_resource.image}" do
    command ['docker', 'build', '--pull', '--tag', new_resource.image, new_resource.folder]
    timeout 1800
    not_if { docker_has?('image', new_resource.image) }
  end
end

action_class do
  include Labswarm::EngineState
end
