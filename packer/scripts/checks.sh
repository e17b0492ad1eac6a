# shellcheck shell=bash
# For the verify.sh of each image: one check a line, all of them made, then the versions that were found in /etc/labswarm/image.json.
#
#   COMMIT, IMAGE   what image.json says of where it comes from
#   BOOTED          true on an instance of the image: its services have to run, and it has keys and an identity of its own

failed=0
check() { # $1 what has to hold, $2.. a command that shows it
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then
    echo "ok      $what"
  else
    echo "FAILED  $what: $*" >&2
    failed=1
  fi
}
absent() { # no file that matches; a glob is the caller's
  local path
  for path in "$@"; do [ ! -e "$path" ] || return 1; done
}
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1")" = installed ]; }
version() { dpkg-query -W -f '${Version}' "$1"; }
at_least() { dpkg --compare-versions "$(version "$1")" ge "$2"; }
enabled() { systemctl is-enabled --quiet "$1"; }
empty() { [ -e "$1" ] && [ ! -s "$1" ]; }
runs() { systemctl is-active --quiet "$1"; }
no_unit_has_failed() { [ -z "$(systemctl list-units --state=failed --plain --no-legend)" ]; }

# The agent is Debian's package, or the snap that a build through Session Manager leaves there, held at its version.
agent_snap() { snap list amazon-ssm-agent 2>/dev/null | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2; }
ssm_agent_is() {
  if installed amazon-ssm-agent; then at_least amazon-ssm-agent "$1"; else dpkg --compare-versions "$(agent_snap)" ge "$1"; fi
}
ssm_agent_is_there_once() {
  if installed amazon-ssm-agent; then absent /snap/amazon-ssm-agent; else snap list amazon-ssm-agent | grep -q held; fi
}
ssm_agent_unit() {
  if installed amazon-ssm-agent; then echo amazon-ssm-agent.service; else echo snap.amazon-ssm-agent.amazon-ssm-agent.service; fi
}
ssm_agent() {
  check "SSM agent 3.3.2746 or later" ssm_agent_is 3.3.2746
  check "SSM agent starts with the machine" enabled "$(ssm_agent_unit)"
  check "SSM agent is there once" ssm_agent_is_there_once
}

booted() { # $1.. services that have to run on an instance, before it has any facts of a cluster
  [ "${BOOTED-}" = true ] || return 0
  local service
  for service in "$(ssm_agent_unit)" "$@"; do
    check "$service runs" runs "$service"
  done
  check "no unit has failed" no_unit_has_failed
}

sealed() {
  [ "${BOOTED-}" != true ] || return 0
  check "no host keys" absent /etc/ssh/ssh_host_*_key
  check "no identity of the machine" empty /etc/machine-id
  check "no Chef keys" absent /etc/chef/*.pem /etc/cinc/*.pem
  check "no identity of the SSM agent" absent /var/lib/amazon/ssm/Vault
  check "no facts of a cluster" absent /etc/labswarm/ground.json /etc/labswarm/node.json
  check "no AWS credentials" absent /root/.aws /home/*/.aws
  check "no key that can log in as root" absent /root/.ssh/authorized_keys
}

verified() { # $1.. packages whose versions image.json lists
  local versions='{}' package
  [ "$failed" = 0 ] || { echo "verify: the image is not as it has to be" >&2; exit 1; }
  for package in "$@"; do
    installed "$package" || continue
    versions=$(jq --arg name "$package" --arg version "$(version "$package")" '.[$name] = $version' <<<"$versions")
  done
  install -d -m 755 /etc/labswarm
  jq --null-input --arg image "$IMAGE" --arg commit "$COMMIT" --arg ubuntu "$(. /etc/os-release && echo "$VERSION_ID")" \
    --argjson versions "$versions" '{image: $image, commit: $commit, ubuntu: $ubuntu, versions: $versions}' >/etc/labswarm/image.json
  cat /etc/labswarm/image.json
}
