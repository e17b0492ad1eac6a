#!/usr/bin/env bash
# Deploys the app that `sam build` has built, and can go back.
#
#   deploy.sh keep      what runs now, into the folder before/
#   deploy.sh deploy    the built app; SAM_PARAMETERS is the text after `--parameter-overrides`,
#   empty to leave them as they are deploy.sh back      what was kept, with the parameters that it
#   had
set -euo pipefail
cd "$(dirname "$0")/../.."
sam=.venv/bin/sam

case ${1-} in
  keep)
    mkdir -p before
    : >before/decided
    if ! aws cloudformation describe-stacks --stack-name labswarm --query 'Stacks[0].Parameters' >before/parameters.json 2>before/refusal; then
      grep -q 'does not exist' before/refusal || { cat before/refusal >&2; exit 1; }
      echo "deploy: there is no app yet" >&2
      exit
    fi
    # As it was given to CloudFormation: its code is still where it says.
    aws cloudformation get-template --stack-name labswarm --template-stage Original --query TemplateBody --output text >before/template.yaml
    # A broken app may be repaired.
    .github/scripts/smoke.sh >before/decided || : >before/decided
    ;;
  deploy)
    read -ra parameters <<<"${SAM_PARAMETERS-}"
    [ ${#parameters[@]} = 0 ] || parameters=(--parameter-overrides "${parameters[@]}")
    "$sam" deploy --no-confirm-changeset "${parameters[@]}"
    ;;
  back)
    [ -e before/template.yaml ] || { echo "deploy: nothing ran before; the app stays as it is" >&2; exit 1; }
    # In quotes: sam takes no empty value without them.
    mapfile -t parameters < <(jq --raw-output '.[]? | "\(.ParameterKey)=\"\(.ParameterValue)\""' before/parameters.json)
    [ ${#parameters[@]} = 0 ] || parameters=(--parameter-overrides "${parameters[@]}")
    "$sam" deploy --no-confirm-changeset --template-file before/template.yaml "${parameters[@]}"
    ;;
  *) echo "deploy: say keep, deploy or back" >&2; exit 2 ;;
esac
