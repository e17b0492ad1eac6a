# chef-client's configuration for labswarm-local-converge.
cookbooks = ::File.expand_path('../../..', __dir__)

chef_repo_path '/var/lib/labswarm/chef'
cookbook_path cookbooks
role_path Dir.glob(::File.join(cookbooks, '*', 'roles'))
cache_path '/var/cache/labswarm/chef'
chef_guid_path '/var/lib/labswarm/chef/chef_guid'
