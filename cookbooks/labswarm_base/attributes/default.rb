# What the hub and the workers have in common. README.md says what each is for.

default['labswarm_base']['ground'] = '/etc/labswarm/ground.json'

# Of the instance's metadata where there is some; for a machine that is not on EC2.
default['labswarm_base']['instance_id'] = nil
default['labswarm_base']['address'] = nil

default['labswarm_base']['chef_client'] = 'chef-client'
default['labswarm_base']['hub_api_url'] = 'http://127.0.0.1:8081/hub/api'
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

# A restarted Engine ends every container on the node: it is renewed with the image.
default['labswarm_base']['kept_packages'] = %w(docker.io containerd runc)

default['labswarm_base']['engine'] = {
  'icc' => false,
  'no-new-privileges' => true,
  'log-driver' => 'json-file',
  'log-opts' => { 'max-size' => '10m', 'max-file' => '3' },
  # Clear of the Swarm's networks (labswarm_hub) and of the VPC's default 10.0.0.0/16.
  'bip' => '172.17.0.1/24',
  'default-address-pools' => [{ 'base' => '172.20.0.0/16', 'size' => 24 }],
}

# dev-sec's linux-baseline (https://github.com/dev-sec/linux-baseline), less what Docker needs:
# sysctl-01 (a Swarm node forwards packets) and sysctl-29 (networks load modules when they come).
default['labswarm_base']['sysctl'] = {
  'fs.protected_fifos' => 1,
  'fs.protected_hardlinks' => 1,
  'fs.protected_regular' => 2,
  'fs.protected_symlinks' => 1,
  'fs.suid_dumpable' => 0,
  'kernel.core_pattern' => '|/bin/false',
  'kernel.dmesg_restrict' => 1,
  'kernel.kptr_restrict' => 2,
  'kernel.randomize_va_space' => 2,
  'kernel.sysrq' => 0,
  'net.ipv4.conf.all.accept_redirects' => 0,
  'net.ipv4.conf.all.accept_source_route' => 0,
  'net.ipv4.conf.all.arp_announce' => 2,
  'net.ipv4.conf.all.arp_ignore' => 1,
  'net.ipv4.conf.all.log_martians' => 1,
  'net.ipv4.conf.all.rp_filter' => 1,
  'net.ipv4.conf.all.secure_redirects' => 0,
  'net.ipv4.conf.all.send_redirects' => 0,
  'net.ipv4.conf.all.shared_media' => 1,
  'net.ipv4.conf.default.accept_redirects' => 0,
  'net.ipv4.conf.default.accept_source_route' => 0,
  'net.ipv4.conf.default.log_martians' => 1,
  'net.ipv4.conf.default.rp_filter' => 1,
  'net.ipv4.conf.default.secure_redirects' => 0,
  'net.ipv4.conf.default.send_redirects' => 0,
  'net.ipv4.conf.default.shared_media' => 1,
  'net.ipv4.icmp_echo_ignore_broadcasts' => 1,
  'net.ipv4.icmp_ignore_bogus_error_responses' => 1,
  'net.ipv4.icmp_ratelimit' => 100,
  'net.ipv4.icmp_ratemask' => 88089,
  'net.ipv4.tcp_rfc1337' => 1,
  'net.ipv4.tcp_syncookies' => 1,
  'net.ipv4.tcp_timestamps' => 0,
  'net.ipv6.conf.all.accept_ra' => 0,
  'net.ipv6.conf.all.accept_redirects' => 0,
  'net.ipv6.conf.all.accept_source_route' => 0,
  'net.ipv6.conf.all.forwarding' => 0,
  'net.ipv6.conf.default.accept_ra' => 0,
  'net.ipv6.conf.default.accept_redirects' => 0,
  'net.ipv6.conf.default.accept_source_route' => 0,
}

default['labswarm_base']['login_defs'] = {
  'UMASK' => '027',
  'PASS_MAX_DAYS' => '60',
  'PASS_MIN_DAYS' => '7',
  'PASS_WARN_AGE' => '7',
  'LOGIN_RETRIES' => '5',
  'LOGIN_TIMEOUT' => '60',
}

# squashfs stays, for snaps; vfat stays, for EFI.
default['labswarm_base']['unused_modules'] = %w(cramfs freevxfs jffs2 hfs hfsplus udf dccp rds sctp tipc)
