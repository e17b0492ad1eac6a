#!/bin/bash
# Removes everything that belongs to this one machine or is useless in an image: keys, identities,
# logs, package lists.
set -euo pipefail

apt-get -q -y autoremove --purge
apt-get -q clean
rm -rf /var/lib/apt/lists/*

rm -f /etc/ssh/ssh_host_*
rm -rf /root/.ssh/authorized_keys /root/.bash_history /home/*/.bash_history
# The agents' and chef-client's identities.
rm -rf /var/lib/amazon/ssm/Vault /etc/chef/*.pem /etc/cinc/*.pem /etc/labswarm/chef
# One engine id for all nodes would be one node to the Swarm.
if [ -d /run/systemd/system ] && systemctl is-active --quiet docker.service; then
  systemctl stop docker.socket docker.service
fi
rm -rf /etc/docker/key.json /var/lib/docker/engine-id /var/lib/docker/swarm

if command -v cloud-init >/dev/null; then
  cloud-init clean --logs --seed
fi
find /var/log -type f -delete
# Empty: it is made at the next start. Missing would be a first boot, with presets for all units.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
