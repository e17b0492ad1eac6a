#!/bin/sh
# Empties an Auto Scaling group through its terminate hooks, so that its nodes deregister.
#
# Usage: empty-group.sh GROUP REGION DEADLINE_S
# Ends with 0 when the group is empty or gone, 1 when AWS refuses or the deadline is over, 2 on a
# wrong usage. Can be repeated. Needs the AWS CLI, with the credentials that Terraform has.
set -u

LOOK_S=${EMPTY_GROUP_LOOK_S:-15}

say() { echo "empty-group: $*" >&2; }

if [ $# -ne 3 ]; then
    say "usage: empty-group.sh GROUP REGION DEADLINE_S"
    exit 2
fi
group=$1 region=$2 deadline_s=$3

if ! command -v aws >/dev/null; then
    say "the AWS CLI is not installed: install it, or empty $group yourself, and destroy again"
    exit 1
fi

autoscaling() {
    aws --region "$region" --output text --no-cli-pager autoscaling "$@"
}

# One line an instance: its id and state. Nothing for a group that is gone.
instances() {
    autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" \
        --query 'AutoScalingGroups[].Instances[].[InstanceId,LifecycleState]'
}

there=$(autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" \
    --query 'length(AutoScalingGroups)') || {
    say "AWS does not say whether $group is there; see above"
    exit 1
}
if [ "$there" = 0 ]; then
    say "$group is gone"
    exit 0
fi

# First, so that nothing is launched in place of the ending ones, not by lab hours either. Instances
# are protected from scale-in: the group does not choose who goes by itself.
autoscaling update-auto-scaling-group --auto-scaling-group-name "$group" \
    --min-size 0 --max-size 0 --desired-capacity 0 || {
    say "$group cannot be set to 0; see above"
    exit 1
}

begun=$(date +%s)
while :; do
    lines=$(instances) || {
        say "AWS does not list $group's instances; see above"
        exit 1
    }
    [ "$lines" = None ] && lines=
    passed=$(($(date +%s) - begun))
    if [ -z "$lines" ]; then
        say "$group is empty ($passed s)"
        exit 0
    fi
    left=$(printf '%s\n' "$lines" | wc -l | tr -d ' ')
    states=$(printf '%s\n' "$lines" | cut -f 2 | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}')
    if [ "$passed" -ge "$deadline_s" ]; then
        say "$group still has $left instances after $passed s ($states): look at the executions of" \
            "labswarm-node-terminate, then destroy again; or end the instances yourself"
        exit 1
    fi
    say "$left instances to go: $states ($passed of $deadline_s s)"
    # One that is launching is ended once it is in service, or is given up by its launch hook.
    printf '%s\n' "$lines" | awk -F '\t' '$2 == "InService" || $2 == "Standby" {print $1}' |
        while read -r instance; do
            # The capacity is 0 already: there is nothing to decrement, and nothing is launched.
            autoscaling terminate-instance-in-auto-scaling-group --instance-id "$instance" \
                --no-should-decrement-desired-capacity --query Activity.StatusCode >/dev/null ||
                say "$instance is not ended yet; see above"
        done
    sleep "$LOOK_S"
done
