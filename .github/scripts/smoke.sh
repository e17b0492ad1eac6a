#!/usr/bin/env bash
# Whether the deployed app works: a dry run of its machine `labswarm-reconcile`, which reads every cluster's group, Swarm, Chef Server
# and ledger, and changes nothing. Prints the names of the clusters about which it decides, one a line.
#
#   smoke.sh [FILE]    FILE: names as an earlier run printed them; each of these has to be decided about
set -euo pipefail
must=$(realpath "${1:-/dev/null}")
: "${POLL_S:=5}" "${PAUSE_S:=40}"

machine=$(aws cloudformation describe-stack-resource --stack-name "${LABSWARM_PREFIX:-labswarm}" --logical-resource-id Reconcile \
  --query StackResourceDetail.PhysicalResourceId --output text)

dry_run() {
  local execution status=RUNNING
  execution=$(aws stepfunctions start-execution --state-machine-arn "$machine" --input '{"cluster": null, "dry_run": true}' \
    --query executionArn --output text)
  while [ "$status" = RUNNING ]; do
    sleep "$POLL_S"
    status=$(aws stepfunctions describe-execution --execution-arn "$execution" --query status --output text)
  done
  [ "$status" = SUCCEEDED ] || { echo "smoke: $execution has $status" >&2; return 1; }
  aws stepfunctions describe-execution --execution-arn "$execution" --query output --output text >passes.json
  # A pass that failed is in the answer by its failure; one that cannot decide says why.
  jq --raw-output '.[] | select(.plan.decided | not) | "smoke: \(.cluster // .plan.cluster): \(.failure // .plan.why_not)"' passes.json >&2
  jq --raw-output '.[] | select(.plan.decided) | .plan.cluster' passes.json >decided
  jq --exit-status 'all(.[]; has("failure") | not)' passes.json >/dev/null &&
    ! grep -qvxFf decided "$must"
}

# Nothing is decided by a snapshot that is late, or by one that the last pass has seen; the next one is there within a minute.
cd "$(mktemp -d)"
for attempt in 1 2 3 4; do
  [ "$attempt" = 1 ] || sleep "$PAUSE_S"
  if dry_run; then exec cat decided; fi
  echo "smoke: attempt $attempt of 4 has failed" >&2
done
exit 1
