#!/bin/bash
# Whether a chef-workstation image is as an operator needs it: the end of its build, and to be run on an instance that has no
# ground.json yet.
#
#   CHEF_FLAVOUR, CHEF_VERSION   what it was built with
#   COMMIT, IMAGE                what /etc/labswarm/image.json says of where it comes from
set -uo pipefail
shopt -s nullglob
# shellcheck source=packer/scripts/checks.sh
. "$(dirname "$0")/../scripts/checks.sh"

package=$CHEF_FLAVOUR-workstation
chef_is() { [[ $(version "$package") == "$CHEF_VERSION".* ]]; }
program_loads() { /opt/labswarm-aws/bin/python -m py_compile /usr/local/sbin/labswarm-chef-workstation; }

check "SSM agent 3.3.2746 or later" at_least amazon-ssm-agent 3.3.2746
check "SSM agent starts with the machine" enabled amazon-ssm-agent.service
check "CloudWatch agent" installed amazon-cloudwatch-agent
check "$package $CHEF_VERSION" chef_is
for command in knife aws git jq; do
  check "$command" command -v "$command"
done
check "labswarm-chef-workstation" program_loads
check "it runs at the first start" enabled labswarm-chef-workstation.service
check "no key of an operator" absent /home/*/.chef
sealed
verified amazon-ssm-agent amazon-cloudwatch-agent "$package"
