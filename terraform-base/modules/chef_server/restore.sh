#!/bin/sh
# Everything the Chef Server holds is replaced by a backup from its bucket: $SSM_Backup is the backup's name, or "newest".
set -eu
umask 077
PATH=$PATH:/opt/opscode/bin:/opt/cinc-project/bin
ctl=$(command -v chef-server-ctl || command -v cinc-server-ctl)
bucket=$(jq --exit-status --raw-output .backup_bucket /etc/labswarm/ground.json)
region=$(jq --exit-status --raw-output .region /etc/labswarm/ground.json)

name=${SSM_Backup:-newest}
if [ "$name" = newest ]; then
  # Names are times, so the last of them is the newest; keys are listed in order.
  name=$(aws s3api list-objects-v2 --region "$region" --bucket "$bucket" --query 'Contents[-1].Key' --output text)
fi

work=$(mktemp --directory /srv/chef/restore.XXXXXX)
trap 'rm -rf "$work"' EXIT

aws s3 cp --only-show-errors --region "$region" "s3://$bucket/$name" "$work/all.tar"
tar --extract --file "$work/all.tar" --directory "$work"

# The authority first: the server's certificate is made anew from it, and the nodes go on trusting it.
rm -rf /srv/chef/tls
mv "$work/tls" /srv/chef/tls
"$ctl" restore --cleanse "$work/server.tgz"
systemctl restart labswarm-chef-server.service
echo "restored $name"
