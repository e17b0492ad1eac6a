#!/bin/bash
# An image's own work when an instance of it starts: first-start.sh chef-server|chef-workstation.
#
# Installs the image's program and its units, and has them start with the machine. The program reads /etc/labswarm/ground.json.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
image=${1:?which image: chef-server or chef-workstation}
here=$(cd "$(dirname "$0")/../$image" && pwd)

if [ "$image" = chef-server ]; then
  # rsync: for `chef-server-ctl backup`. certbot: for a public name's certificates; its own timer would find nothing to renew.
  apt-get -q install -y --no-install-recommends rsync openssl e2fsprogs certbot python3-certbot-dns-route53
  systemctl disable certbot.timer
fi

install -d -m 755 /etc/labswarm
# Python finds a program's modules next to the file that a link leads to. To Python a name has no hyphen, to a shell it has.
for file in "$here"/*.py; do
  name=${file##*/}
  install -D -m 755 "$file" "/usr/local/lib/labswarm-$image/$name"
  if [ "$(head -c 2 "$file")" = '#!' ]; then
    command=${name%.py}
    ln -sfn "../lib/labswarm-$image/$name" "/usr/local/sbin/${command//_/-}"
  fi
done
for unit in "$here"/*.service "$here"/*.timer; do
  [ -e "$unit" ] || continue
  install -D -m 644 "$unit" "/etc/systemd/system/${unit##*/}"
  systemctl enable "${unit##*/}"
done
