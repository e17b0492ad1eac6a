#!/bin/sh
# Replace everything that the Chef Server holds by a backup from its bucket: $SSM_Backup is the backup's name, or "newest".
set -eu
if ! command -v labswarm-chef-backup >/dev/null; then
  echo "this Chef Server's image has no labswarm-chef-backup: build packer/chef-server again and apply with its AMI" >&2
  exit 1
fi
exec labswarm-chef-backup restore "${SSM_Backup:-newest}"
