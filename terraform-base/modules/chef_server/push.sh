# shellcheck shell=sh
# Pins the workers' cookbooks as they are in a commit, and gives them to one cluster. Runs on the workstation, in the clone of user ubuntu:
# docs/how-to/deploy.md#a-clusters-policy. Repeatable.
#
#   COMMIT    the commit, which the clone's remote has
#   CLUSTER   the cluster, which is the policy group's name
set -eu
export COMMIT CLUSTER
# shellcheck disable=SC2016 # the user's own shell expands these
exec runuser --login ubuntu --whitelist-environment=COMMIT,CLUSTER --command='
set -eu
cd labswarm
git fetch --quiet origin
git checkout --quiet --detach "$COMMIT"
cd cookbooks/labswarm_worker
rm -f Policyfile.lock.json
chef install
chef push "$CLUSTER"
'
