# The attributes that hub and workers share. README.md describes each.

# The lab's nodes read the same files. chef-client has all of a cookbook's files before it reads its
# attributes: that is its no_lazy_load (https://docs.chef.io/config_rb_client/), on by default.
data = ->(name) { JSON.parse(::File.read(::File.join(__dir__, '../files/default', name))) }

default['labswarm_base']['ground'] = '/etc/labswarm/ground.json'

# Of the instance's metadata where there is some; for a machine that is not on EC2.
default['labswarm_base']['instance_id'] = nil
default['labswarm_base']['address'] = nil

default['labswarm_base']['chef_client'] = 'chef-client'
default['labswarm_base']['policy'] = 'labswarm-worker'
default['labswarm_base']['hub_api_url'] = 'http://127.0.0.1:8081/hub/api'
default['labswarm_base']['hub_proxy_url'] = 'http://127.0.0.1:8000'
default['labswarm_base']['hub_token_file'] = '/srv/labswarm/hub/manager.token'

default['labswarm_base']['homes'] = '/homes'
default['labswarm_base']['metrics'] = true

# AWS's own servers, the same address everywhere:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-ec2-ntp.html
# https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
default['labswarm_base']['time_server'] = '169.254.169.123'
default['labswarm_base']['dns_server'] = '169.254.169.253'

default['labswarm_base']['packages'] = %w(chrony docker.io iptables jq unattended-upgrades)
default['labswarm_base']['audit'] = true
default['labswarm_base']['ssh'] = false

default['labswarm_base']['journal']['max_use'] = '1G'
default['labswarm_base']['journal']['max_age'] = '1month'

# A restarted Engine ends every container on the node, so no day's update restarts it. A worker gets a new Engine with the
# monthly image and `labswarm roll`; a hub, which stays, at engine_updates (a systemd calendar time).
default['labswarm_base']['kept_packages'] = %w(docker.io containerd runc)
default['labswarm_base']['engine_updates'] = nil

# Its networks are clear of the Swarm's (labswarm_hub) and of the VPC's default 10.64.0.0/16.
default['labswarm_base']['engine'] = data.call('engine.json')

# dev-sec's linux-baseline (https://github.com/dev-sec/linux-baseline), less what Docker needs:
# sysctl-01 (a Swarm node forwards packets) and sysctl-29 (networks load modules when they come).
default['labswarm_base']['sysctl'] = data.call('sysctl.json')

default['labswarm_base']['login_defs'] = {
  'UMASK' => '027',
  'PASS_MAX_DAYS' => '60',
  'PASS_MIN_DAYS' => '7',
  'PASS_WARN_AGE' => '7',
  'LOGIN_RETRIES' => '5',
  'LOGIN_TIMEOUT' => '60',
}

# squashfs stays, for snaps; vfat stays, for EFI. Then what two holes of 2026 were reached by: af_alg and its parts (CVE-2026-31431);
# esp4, esp6, ipcomp, ipcomp6 and rxrpc (CVE-2026-43284). The Swarm's network is not encrypted, so nothing here uses ESP.
default['labswarm_base']['unused_modules'] = %w(
  cramfs freevxfs jffs2 hfs hfsplus udf dccp rds sctp tipc
  af_alg algif_aead algif_hash algif_rng algif_skcipher
  esp4 esp6 ipcomp ipcomp6 rxrpc
)
