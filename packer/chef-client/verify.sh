#!/bin/bash
# Whether a chef-client image is as hub and workers need it: the end of its build, and to be run on any instance of it.
#
#   CHEF_FLAVOUR, CHEF_VERSION, CLASS_IMAGES   what it was built with
#   BOOTED, see scripts/checks.sh
#   PROVIDER                                   aws, or none for an image without AWS's agents
#   COMMIT, IMAGE                              what /etc/labswarm/image.json says of where it comes from
set -uo pipefail
shopt -s nullglob
# shellcheck source=packer/scripts/checks.sh
. "$(dirname "$0")/../scripts/checks.sh"

answers() { [[ $("$@" 2>/dev/null) == '{"error"'* ]]; } # a tool of ours without its configuration or command says so in JSON
imports() { /opt/labswarm/bin/python -c "import $1"; }
chef_is() { [[ $(chef-client --version) == *" $CHEF_VERSION".* ]]; }
# chef-client reads the client.rb that labswarm-node writes, and a run that fails says why: nothing listens at this server's port.
failed_run_says_why() {
  local folder answer code
  folder=$(mktemp -d) || return
  jq --null-input --arg folder "$folder" '{
    cluster: "sample", instance_id: "i-00000000", role: "worker", region: "eu-west-1", docker_host: "unix:///run/docker.sock",
    advertise_address: "127.0.0.1", join_secret: "sample", images: [],
    chef: {url: "https://127.0.0.1:9", organization: "sample", node_name: "sample-i-00000000", key_file: "\($folder)/client.pem", client: "chef-client"}
  }' >"$folder/node.json"
  LABSWARM_NODE_CONFIG=$folder/node.json labswarm-node identify >"$folder/public.json" || return
  answer=$(LABSWARM_NODE_CONFIG=$folder/node.json labswarm-node bootstrap --run-list 'role[worker]')
  code=$?
  echo "$answer"
  [ "$code" = 75 ] && [[ $answer == *"Connection refused"* ]] && grep -q "FATAL: .*Connection refused" "$folder/client.log"
  code=$?
  rm -rf "$folder"
  return "$code"
}
image_is_here() { grep -qxF "$1" /etc/labswarm/class-images; }

# An image for another provider has other agents in their place: docs/explanation/other-providers.md.
if [ "${PROVIDER:-aws}" = aws ]; then
  ssm_agent
  check "CloudWatch agent" installed amazon-cloudwatch-agent
  check "amazon-efs-utils" test -x /sbin/mount.efs
  check "NFS" test -x /sbin/mount.nfs4
fi
check "Docker Engine" installed docker.io
check "Docker Engine starts with the machine" enabled docker.service
[ "${BOOTED-}" = true ] || check "no stored Swarm or engine identity" absent /var/lib/docker/swarm /var/lib/docker/engine-id
check "chef-client $CHEF_VERSION" chef_is
for unit in labswarm-node-config labswarm-hub-converge; do
  check "$unit converges at boot" enabled "$unit.service"
done
check "the cookbooks" test -f /opt/labswarm/src/cookbooks/labswarm_worker/metadata.rb
check "labswarm-report-start starts at boot" enabled labswarm-announce.service
for tool in labswarm-node labswarm-manager; do
  check "$tool answers" answers "$tool"
done
check "chef-client reads what labswarm-node writes, and a failed run says why" failed_run_says_why
for tool in labswarm-snapshot labswarm-document labswarm-fitness; do
  check "$tool" "$tool" --help
done
for module in labswarm_node.chef_identity labswarm_node.snapshot_service cryptography botocore.session boto3.dynamodb.types urllib3; do
  check "the tools have $module" imports "$module"
done
for image in ${CLASS_IMAGES-}; do
  check "class image $image" image_is_here "$image"
done
sealed
booted docker.service
verified amazon-ssm-agent amazon-cloudwatch-agent amazon-efs-utils docker.io "$CHEF_FLAVOUR"
