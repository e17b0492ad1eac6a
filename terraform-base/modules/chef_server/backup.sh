#!/bin/sh
# The whole Chef Server as one archive in its bucket; State Manager runs this each night. The server is offline for the minutes that it
# takes: callers try again. start.sh runs before it, so that nothing is backed up that is only half set up.
set -eu
umask 077
PATH=$PATH:/opt/opscode/bin:/opt/cinc-project/bin
ctl=$(command -v chef-server-ctl || command -v cinc-server-ctl)
bucket=$(jq --exit-status --raw-output .backup_bucket /etc/labswarm/ground.json)
region=$(jq --exit-status --raw-output .region /etc/labswarm/ground.json)

work=$(mktemp --directory /srv/chef/backup.XXXXXX)
trap 'rm -rf "$work"' EXIT

rm -f /var/opt/*-backup/*.tgz
"$ctl" backup --yes
mv /var/opt/*-backup/*.tgz "$work/server.tgz"
tar --create --file "$work/all.tar" --directory "$work" server.tgz --directory /srv/chef tls

name=$(date --utc +%Y%m%dT%H%M%SZ).tar
aws s3 cp --only-show-errors --region "$region" "$work/all.tar" "s3://$bucket/$name"
aws cloudwatch put-metric-data --region "$region" --namespace Labswarm --metric-name ChefBackups --value 1
echo "backed up as $name"
