#!/bin/sh
# Waits until Systems Manager reaches an instance. State Manager takes an association with an instance
# that it does not know yet for done: https://github.com/hashicorp/terraform-provider-aws/issues/31175
#
# Usage: await-agent.sh INSTANCE REGION DEADLINE_S
# Ends with 0 when the instance's agent is online, 1 when AWS refuses or the deadline is over, 2 on a
# wrong usage. Can be repeated. Needs the AWS CLI, with the credentials that Terraform has.
set -u

LOOK_S=${AWAIT_AGENT_LOOK_S:-10}

say() { echo "await-agent: $*" >&2; }

if [ $# -ne 3 ]; then
    say "usage: await-agent.sh INSTANCE REGION DEADLINE_S"
    exit 2
fi
instance=$1 region=$2 deadline_s=$3

if ! command -v aws >/dev/null; then
    say "the AWS CLI is not installed: install it, and apply again"
    exit 1
fi

begun=$(date +%s)
while :; do
    status=$(aws --region "$region" --output text --no-cli-pager ssm describe-instance-information \
        --filters "Key=InstanceIds,Values=$instance" --query 'InstanceInformationList[].PingStatus') || {
        say "AWS does not say whether $instance is there; see above"
        exit 1
    }
    passed=$(($(date +%s) - begun))
    if [ "$status" = Online ]; then
        say "$instance answers ($passed s)"
        exit 0
    fi
    if [ "$passed" -ge "$deadline_s" ]; then
        say "Systems Manager does not reach $instance after $passed s (${status:-not registered}): look at its" \
            "system log, and whether its subnet has a way out, then apply again"
        exit 1
    fi
    sleep "$LOOK_S"
done
