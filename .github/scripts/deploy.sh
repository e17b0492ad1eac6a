#!/usr/bin/env bash
# Deploys the app that `sam build` has built, and can go back.
#
#   deploy.sh keep      what runs now, into the folder before/
#   deploy.sh deploy    the built app; SAM_PARAMETERS is the text after `--parameter-overrides`,
#   empty to leave them as they are deploy.sh back      what was kept, with the parameters that it
#   had
# LABSWARM_PREFIX is the app's prefix; empty for the usual one. Its stack has the same name.
set -euo pipefail
cd "$(dirname "$0")/../.."
sam=.venv/bin/sam
prefix=${LABSWARM_PREFIX:-labswarm}
# The stack's name, and the app's place in the bucket of code: an app's role reaches no other's.
of_app=()
[ "$prefix" = labswarm ] || of_app=(--stack-name "$prefix" --s3-prefix "$prefix")

case ${1-} in
  keep)
    mkdir -p before
    : >before/decided
    if ! aws cloudformation describe-stacks --stack-name "$prefix" --query 'Stacks[0].Parameters' >before/parameters.json 2>before/refusal; then
      grep -q 'does not exist' before/refusal || { cat before/refusal >&2; exit 1; }
      echo "deploy: there is no app yet" >&2
      exit
    fi
    # As it was given to CloudFormation: its code is still where it says.
    aws cloudformation get-template --stack-name "$prefix" --template-stage Original --query TemplateBody --output text >before/template.yaml
    # A broken app may be repaired.
    .github/scripts/smoke.sh >before/decided || : >before/decided
    ;;
  deploy)
    read -ra parameters <<<"${SAM_PARAMETERS-}"
    [ "$prefix" = labswarm ] || parameters+=("Prefix=$prefix")
    [ ${#parameters[@]} = 0 ] || parameters=(--parameter-overrides "${parameters[@]}")
    "$sam" deploy --no-confirm-changeset "${of_app[@]}" "${parameters[@]}"
    ;;
  back)
    [ -e before/template.yaml ] || { echo "deploy: nothing ran before; the app stays as it is" >&2; exit 1; }
    # In quotes: sam takes no empty value without them.
    mapfile -t parameters < <(jq --raw-output '.[]? | "\(.ParameterKey)=\"\(.ParameterValue)\""' before/parameters.json)
    [ ${#parameters[@]} = 0 ] || parameters=(--parameter-overrides "${parameters[@]}")
    "$sam" deploy --no-confirm-changeset "${of_app[@]}" --template-file before/template.yaml "${parameters[@]}"
    ;;
  *) echo "deploy: say keep, deploy or back" >&2; exit 2 ;;
esac
