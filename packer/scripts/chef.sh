#!/bin/bash
# One of Chef's three programs: chef.sh client|server|workstation.
#
#   CHEF_FLAVOUR      cinc, or chef, whose licence has to be had
#   CHEF_VERSION      a version, or its beginning for the newest of these
#   CHEF_LICENSE_ID   with chef: the licence's id
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
: "${CHEF_FLAVOUR:=cinc}" "${CHEF_VERSION:?}" "${CHEF_LICENSE_ID:=}"
die() { echo "chef: $*" >&2; exit 2; }

case $CHEF_FLAVOUR in
  # https://cinc.sh/download/
  cinc) downloads=${CHEF_DOWNLOADS:-https://omnitruck.cinc.sh} ;;
  # https://docs.chef.io/download/commercial/
  chef)
    downloads=${CHEF_DOWNLOADS:-https://chefdownload-commercial.chef.io}
    [ -n "$CHEF_LICENSE_ID" ] || die "Progress's Chef wants a licence: give chef_license_id, or take cinc"
    ;;
  *) die "CHEF_FLAVOUR is '$CHEF_FLAVOUR'; write cinc or chef" ;;
esac
case ${1-} in
  client) project=$CHEF_FLAVOUR ;;
  server | workstation) project=$CHEF_FLAVOUR-$1 ;;
  *) die "'${1-}' is none of client, server, workstation" ;;
esac
package=${project/%chef-server/chef-server-core}

# Empty when it is not installed.
installed=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)
if [[ ${installed%%-*}. != "$CHEF_VERSION".* ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work" # apt reads there as a user of its own

  # Read from standard input, so that no list of processes shows the licence's id.
  about() {
    printf 'url = "%s/stable/%s/metadata?p=ubuntu&pv=%s&m=x86_64&v=%s%s"\n' \
      "$downloads" "$project" "$1" "$CHEF_VERSION" "${CHEF_LICENSE_ID:+&license_id=$CHEF_LICENSE_ID}" |
      curl -fsSL --retry 5 --retry-connrefused -H 'Accept: application/json' -K - -o "$work/about.json"
  }
  # A package that is not built for the newest Ubuntu yet is taken from the previous one: the
  # packages bring their own libraries.
  . /etc/os-release
  about "$VERSION_ID" || about 22.04 || die "there is no $project $CHEF_VERSION for Ubuntu $VERSION_ID or 22.04 at $downloads"

  field() { jq --exit-status --raw-output ".$1" "$work/about.json"; }
  printf 'url = "%s"\n' "$(field url)" | curl -fsSL --retry 5 -K - -o "$work/$package.deb"
  echo "$(field sha256)  $work/$package.deb" | sha256sum --check --quiet
  apt-get -q install -y "$work/$package.deb"
fi

# Callers need not know which of the two it is.
if [ "$1" = client ] && ! command -v chef-client >/dev/null; then
  ln -sfn /opt/cinc/bin/cinc-client /usr/local/bin/chef-client
fi
