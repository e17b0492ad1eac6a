#!/usr/bin/env bash
# Gives the workers' cookbooks of a commit to clusters, one after the other, by the Chef workstation. Ends at the first cluster that fails.
#
#   cookbooks.sh CLUSTER    this cluster
#   cookbooks.sh --but CLUSTER    every cluster but this one
#   COMMIT                  the commit
#   LABSWARM_PREFIX         the app's prefix; empty for the usual one
set -euo pipefail
: "${COMMIT:?}" "${POLL_S:=5}"

clusters=("${@: -1}")
if [ "${1-}" = --but ] && [ $# = 2 ]; then
  names=$(aws ssm get-parameters-by-path --path "/${LABSWARM_PREFIX:-labswarm}/clusters" --query 'Parameters[].Name' --output text)
  mapfile -t clusters < <(tr '\t' '\n' <<<"$names" | awk -F/ -v but="$2" '$NF != "" && $NF != "None" && $NF != but { print $NF }')
elif [ $# != 1 ]; then
  echo "cookbooks: give a cluster, or --but and a cluster" >&2
  exit 2
fi

for cluster in "${clusters[@]}"; do
  command=$(aws ssm send-command --document-name labswarm-chef-push --targets Key=tag:labswarm:role,Values=chef-workstation \
    --parameters "Commit=$COMMIT,Cluster=$cluster" --query Command.CommandId --output text)
  status=Pending
  for ((waited = 0; waited < 120; waited++)); do
    sleep "$POLL_S"
    status=$(aws ssm list-command-invocations --command-id "$command" --query 'CommandInvocations[0].Status' --output text)
    case $status in Pending | InProgress | Delayed | None) ;; *) break ;; esac
  done
  echo "$cluster: $status"
  [ "$status" = Success ] || {
    aws ssm list-command-invocations --command-id "$command" --details --query 'CommandInvocations[0].CommandPlugins[].Output' --output text >&2
    echo "cookbooks: $cluster has its old cookbooks. If the status is None, start the Chef workstation" >&2
    exit 1
  }
done
