#!/bin/bash
# Whether a chef-server image is as its first start needs it: the end of its build, and to be run on an instance that has no
# ground.json yet.
#
#   CHEF_FLAVOUR, CHEF_VERSION   what it was built with
#   BOOTED, see scripts/checks.sh
#   COMMIT, IMAGE                what /etc/labswarm/image.json says of where it comes from
set -uo pipefail
shopt -s nullglob
# shellcheck source=packer/scripts/checks.sh
. "$(dirname "$0")/../scripts/checks.sh"

case $CHEF_FLAVOUR in
  cinc) package=cinc-server command=/opt/cinc-project/bin/cinc-server-ctl ;;
  *) package=chef-server-core command=/opt/opscode/bin/chef-server-ctl ;;
esac
chef_is() { [[ $(version "$package") == "$CHEF_VERSION".* ]]; }
program_loads() { /opt/labswarm-aws/bin/python -m py_compile /usr/local/sbin/labswarm-chef-server; }
postgres_is_here() { compgen -G '/opt/*/embedded/postgresql/*/bin/initdb' || compgen -G '/opt/*/embedded/bin/initdb'; }

ssm_agent
check "CloudWatch agent" installed amazon-cloudwatch-agent
check "$package $CHEF_VERSION" chef_is
check "its command" test -x "$command"
check "the server is not set up yet" absent /etc/opscode/private-chef-secrets.json /etc/cinc-project/private-chef-secrets.json
for command in aws blkid certbot jq mkfs.ext4 openssl rsync; do
  check "$command" command -v "$command"
done
check "labswarm-chef-server" program_loads
check "labswarm-chef-backup" labswarm-chef-backup --help
check "labswarm-chef-isolate" /opt/labswarm-aws/bin/python -m py_compile /usr/local/sbin/labswarm-chef-isolate
check "PostgreSQL for the test restore of a backup" postgres_is_here
check "botocore" /opt/labswarm-aws/bin/python -c "import botocore.session"
check "it runs at the first start" enabled labswarm-chef-server.service
check "it runs each day" enabled labswarm-chef-server.timer
sealed
booted "$@"
verified amazon-ssm-agent amazon-cloudwatch-agent "$package"
