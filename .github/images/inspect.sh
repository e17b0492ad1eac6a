#!/usr/bin/env bash
# Run the InSpec profiles of an image on an instance of it.
#
#   IMAGE      chef-client, chef-server or chef-workstation
#   TARGET     where the instance is: ssh://USER@ADDRESS
#   SSH_KEY    the private key that opens it
set -euo pipefail
profiles=$(cd "$(dirname "$0")/../../cookbooks" && pwd)
case $IMAGE in
  chef-client) names=(labswarm_worker/compliance/profiles/labswarm-worker) ;;
  chef-server) names=(labswarm_base/compliance/profiles/labswarm-image labswarm_base/compliance/profiles/labswarm-chef-server) ;;
  chef-workstation) names=(labswarm_base/compliance/profiles/labswarm-image) ;;
  *) echo "inspect: IMAGE is '$IMAGE'; write chef-client, chef-server or chef-workstation" >&2; exit 2 ;;
esac

key=$(mktemp)
trap 'rm -f "$key"' EXIT
printf '%s\n' "$SSH_KEY" >"$key" # mktemp makes it with mode 0600

# Cinc Auditor is InSpec without a licence to accept: https://cinc.sh/start/auditor/
docker run --rm --network host --volume "$profiles:/cookbooks:ro" --volume "$key:/key:ro" "${AUDITOR:-cincproject/auditor:5}" \
  exec "${names[@]/#//cookbooks/}" --target "$TARGET" --key-files /key --sudo --input ssh=true
