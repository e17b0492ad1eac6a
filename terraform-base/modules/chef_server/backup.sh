#!/bin/sh
# Back the Chef Server up to its bucket, and open the backup by a test restore; State Manager runs this each night. The server is offline
# for the minutes that the backup takes: callers try again. start.sh runs before it, so that no half set-up is backed up.
set -eu
if ! command -v labswarm-chef-backup >/dev/null; then
  echo "this Chef Server's image has no labswarm-chef-backup: build packer/chef-server again and apply with its AMI" >&2
  exit 1
fi
exec labswarm-chef-backup backup
