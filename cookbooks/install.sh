#!/bin/bash
# In an image of hub and workers: the cookbooks, the hub's parts of this repository, and the units
# that converge at boot.
#
# Run as root from the repository's sources (this file's folder is their cookbooks); chef-client and jq are there already.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
here=$(cd "$(dirname "$0")" && pwd)
sources=${here%/*}
files=$here/labswarm_base/files/default

# The packages that the cookbooks would install: a private subnet may not reach the archive.
apt-get -q install -y --no-install-recommends auditd chrony e2fsprogs iptables jq unattended-upgrades

for part in cookbooks hub layers/labswarm; do
  rm -rf "/opt/labswarm/src/$part"
  install -d -m 755 "/opt/labswarm/src/$part"
  cp -r "$sources/$part/." "/opt/labswarm/src/$part"
done
chown -R root:root /opt/labswarm/src
chmod -R u=rwX,go=rX /opt/labswarm/src

install -m 755 "$files/labswarm-local-converge" /usr/local/sbin/labswarm-local-converge
for unit in labswarm-node-config.service labswarm-hub-converge.service labswarm-report-start.service; do
  install -m 644 "$files/$unit" "/etc/systemd/system/$unit"
  systemctl enable "$unit"
done
