#!/usr/bin/env bash
# Plans and applies every state that this repository describes: stack chef's, where there is a terraform.tfvars, then a
# cluster's for each .tfvars of stack cluster. A lecture more is a file more.
#
#   terraform.sh plan FOLDER     a plan of each into FOLDER, as .tfplan and as .txt; the changes
#   into the job's summary terraform.sh apply FOLDER    exactly these plans
#
#   STATE_BUCKET, AWS_REGION     where the states are
set -euo pipefail
cd "$(dirname "$0")/../.."
die() { echo "terraform: $*" >&2; exit 2; }

[ $# = 2 ] || die "say plan or apply, and a folder for the plans"
: "${STATE_BUCKET:?}" "${AWS_REGION:?}"
mkdir -p "$2"
plans=$(cd "$2" && pwd)
stacks=terraform-base/stacks
export TF_IN_AUTOMATION=1 TF_INPUT=0

begin() { # $1 stack, $2 name of the state
  local key=()
  [ "$1" = chef ] || key=(-backend-config="key=labswarm/$1/$2.tfstate")
  terraform -chdir="$stacks/$1" init -reconfigure -backend-config=bucket="$STATE_BUCKET" \
    -backend-config=region="$AWS_REGION" "${key[@]}"
}

plan() { # $1 stack, $2 name of the state, $3 its .tfvars
  local found=0
  begin "$1" "$2"
  # The role that plans may only read, and a lock is a written object. Applying takes it, and
  # refuses a plan that is not the newest.
  terraform -chdir="$stacks/$1" plan -lock=false -detailed-exitcode -var-file="$3" -out="$plans/$2.tfplan" || found=$?
  case $found in
    0) rm "$plans/$2.tfplan" ;;
    2) [ -z "${GITHUB_OUTPUT-}" ] || echo changes=true >>"$GITHUB_OUTPUT" ;;
    *) return "$found" ;;
  esac
  [ "$found" = 0 ] || terraform -chdir="$stacks/$1" show -no-color "$plans/$2.tfplan" >"$plans/$2.txt"
  # An apply hours later has to have the same providers, whether or not their lock is in the repository.
  cp "$stacks/$1/.terraform.lock.hcl" "$plans/$1.lock.hcl"
  {
    printf '### %s\n```\n' "$2"
    # A plan that changes outputs only has no such line.
    if [ "$found" = 0 ]; then echo No changes; else grep -E '^  # |^Plan:' "$plans/$2.txt" || true; fi
    printf '```\n'
  } >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
}

apply() { # $1 stack, $2 name of the state
  [ -e "$plans/$2.tfplan" ] || return 0
  cp "$plans/$1.lock.hcl" "$stacks/$1/.terraform.lock.hcl"
  begin "$1" "$2"
  terraform -chdir="$stacks/$1" apply "$plans/$2.tfplan"
}

case $1 in plan | apply) ;; *) die "'$1' is neither plan nor apply" ;; esac
[ ! -e "$stacks/chef/terraform.tfvars" ] || "$1" chef chef terraform.tfvars
for values in "$stacks"/cluster/*.tfvars; do
  [ -e "$values" ] || continue
  name=$(basename "$values" .tfvars)
  [ "$name" != chef ] || die "a cluster cannot be named chef here: rename $values"
  "$1" cluster "$name" "$name.tfvars"
done
