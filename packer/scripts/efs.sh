#!/bin/bash
# amazon-efs-utils: mounts the homes with TLS and the instance's own role. The cookbooks mount them.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

# AWS's own way to its packages for Ubuntu: https://docs.aws.amazon.com/efs/latest/ug/installing-amazon-efs-utils.html
installer=${EFS_INSTALLER_URL:-https://amazon-efs-utils.aws.com/efs-utils-installer.sh}

# botocore finds the mount target's address where the name does not resolve.
apt-get -q install -y --no-install-recommends nfs-common python3-botocore
if ! dpkg-query -W amazon-efs-utils >/dev/null 2>&1; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  curl -fsSL --retry 5 --retry-connrefused -o "$work/install.sh" "$installer"
  sh "$work/install.sh" --install
fi
