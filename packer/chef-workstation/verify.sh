#!/bin/bash
# Whether a chef-workstation image is as an operator needs it: the end of its build, and to be run on an instance that has no
# ground.json yet.
#
#   CHEF_FLAVOUR, CHEF_VERSION   what it was built with
#   BOOTED, see scripts/checks.sh
#   COMMIT, IMAGE                what /etc/labswarm/image.json says of where it comes from
set -uo pipefail
shopt -s nullglob
# shellcheck source=packer/scripts/checks.sh
. "$(dirname "$0")/../scripts/checks.sh"

package=$CHEF_FLAVOUR-workstation
chef_is() { [[ $(version "$package") == "$CHEF_VERSION".* ]]; }
program_loads() { /opt/labswarm-aws/bin/python -m py_compile /usr/local/sbin/labswarm-chef-workstation; }
# Chef's and Cinc's knife look in different folders: see ALIAS in labswarm_chef_workstation.py.
knife_reads_the_sample() {
  local home
  home=$(mktemp -d) || return
  labswarm-chef-workstation --sample "$home" &&
    (cd "$home" && HOME=$home CHEF_LICENSE=accept-no-persist knife config show node_name client_key chef_server_url trusted_certs_dir --format json) |
    jq --exit-status --arg home "$home" '
      .node_name == "operator"
      and .chef_server_url == "https://chef.sample.invalid/organizations/sample"
      and (.client_key | IN($home + "/.chef/operator.pem", $home + "/.cinc/operator.pem"))
      and (.trusted_certs_dir | rtrimstr("/") | IN($home + "/.chef/trusted_certs", $home + "/.cinc/trusted_certs"))'
  local read=$?
  rm -rf "$home"
  return "$read"
}

ssm_agent
check "CloudWatch agent" installed amazon-cloudwatch-agent
check "$package $CHEF_VERSION" chef_is
for command in knife aws git jq; do
  check "$command" command -v "$command"
done
check "labswarm-chef-workstation" program_loads
check "knife reads what labswarm-chef-workstation writes" knife_reads_the_sample
check "it runs at the first start" enabled labswarm-chef-workstation.service
check "no key of an operator" absent /home/*/.chef /home/*/.cinc
sealed
booted "$@"
verified amazon-ssm-agent amazon-cloudwatch-agent "$package"
