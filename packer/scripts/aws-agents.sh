#!/bin/bash
# The SSM agent, new enough for the app's documents, and the CloudWatch agent, which the cookbooks configure and start.
#
#   REGION            the region from which the SSM agent is fetched
#   SESSION_MANAGER   true when the build itself comes through the agent that is there, which then stays
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

# The first that gives a document's values to a command as environment variables (interpolationType: ENV_VAR).
least_ssm_agent=3.3.2746
ssm_agent=${SSM_AGENT_URL:-https://s3.$REGION.amazonaws.com/amazon-ssm-$REGION/latest/debian_amd64/amazon-ssm-agent.deb}
cloudwatch=${CLOUDWATCH_URL:-https://amazoncloudwatch-agent.s3.amazonaws.com}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/verify-CloudWatch-Agent-Package-Signature.html
cloudwatch_key=${CLOUDWATCH_KEY:-937616F3450B7D806CBD9725D58167303B789C72}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt reads there as a user of its own
fetch() { curl -fsSL --retry 5 --retry-connrefused -o "$work/$1" "$2"; }
# Nothing when it is not installed.
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true; }

has_snap() { command -v snap >/dev/null && snap list amazon-ssm-agent >/dev/null 2>&1; }
snap_version() { snap list amazon-ssm-agent | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2; }

# Ubuntu's image has the agent as a snap, which updates itself, even in the middle of a command. Two agents are one too many.
if [ "${SESSION_MANAGER-}" = true ] && has_snap; then
  # This session comes through the snap: without it the build would end here. It stays, and no longer updates itself.
  found=$(snap_version)
  snap refresh --hold amazon-ssm-agent
else
  if has_snap; then
    snap remove --purge amazon-ssm-agent
  fi
  # TLS to AWS vouches for the package: AWS changes its signing key every year or so, and publishes it on a web page only.
  if ! dpkg --compare-versions "$(version amazon-ssm-agent)" ge "$least_ssm_agent"; then
    fetch amazon-ssm-agent.deb "$ssm_agent"
    apt-get -q install -y "$work/amazon-ssm-agent.deb"
  fi
  found=$(version amazon-ssm-agent)
  systemctl enable amazon-ssm-agent.service
fi
dpkg --compare-versions "$found" ge "$least_ssm_agent" ||
  { echo "aws-agents: the SSM agent is $found; the app's documents want $least_ssm_agent or later" >&2; exit 1; }

if [ -z "$(version amazon-cloudwatch-agent)" ]; then
  fetch agent.deb "$cloudwatch/ubuntu/amd64/latest/amazon-cloudwatch-agent.deb"
  fetch agent.sig "$cloudwatch/ubuntu/amd64/latest/amazon-cloudwatch-agent.deb.sig"
  fetch key.gpg "$cloudwatch/assets/amazon-cloudwatch-agent.gpg"
  gpg="gpg --batch --quiet --no-autostart --homedir $work"
  $gpg --import "$work/key.gpg"
  # The next line judges by the key: a good signature of another key is none.
  $gpg --status-fd 1 --verify "$work/agent.sig" "$work/agent.deb" 2>/dev/null >"$work/status" || true
  grep -q "^\[GNUPG:\] VALIDSIG .*$cloudwatch_key" "$work/status" ||
    { echo "aws-agents: the CloudWatch agent is not signed by $cloudwatch_key; nothing was installed" >&2; exit 1; }
  apt-get -q install -y "$work/agent.deb"
fi
