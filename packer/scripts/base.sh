#!/bin/bash
# The start of every image: security updates, and the few programs that the other scripts use.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

# The machine's own first start updates the package lists too. Whether all of it succeeded does not matter here.
if [ -d /run/systemd/system ] && command -v cloud-init >/dev/null; then
  cloud-init status --wait >/dev/null || true
fi

apt_get() { apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

apt_get update
apt_get -y upgrade
apt_get install -y --no-install-recommends ca-certificates curl git gpg jq python3-venv unattended-upgrades
