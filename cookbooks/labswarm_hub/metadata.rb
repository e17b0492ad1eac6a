name 'labswarm_hub'
maintainer 'The labswarm authors'
license 'BSD-3-Clause'
description "A labswarm cluster's hub: the Swarm's manager, and JupyterHub on it"
version '0.1.0'
chef_version '>= 18.0'
supports 'ubuntu', '>= 24.04'

depends 'labswarm_base', '~> 0.1'
