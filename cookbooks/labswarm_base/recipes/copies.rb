# Boot runs the image's copy of the cookbooks, the launch the Chef Server's. A node says when they differ: in its log, and in a file that
# the profile's control labswarm-node-7 looks at. chef-client lays all files of a cookbook next to this one before it runs it.

differing = Labswarm::Copies.differing(::File.expand_path('../..', __dir__), '/opt/labswarm/src/cookbooks')

log 'cookbooks differ' do
  message "the image's cookbooks differ from the Chef Server's: build the image and push the policy from one commit (#{differing.join(', ')})"
  level :warn
  not_if { differing.empty? }
end

file '/etc/labswarm/cookbooks-differ' do
  content differing.map { |name| "#{name}\n" }.join
  mode '0644'
  action differing.empty? ? :delete : :create
end
