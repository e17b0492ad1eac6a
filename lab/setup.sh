#!/usr/bin/env bash
# Installs what this machine lacks for the lab and the tests. Repeatable; quick when there is nothing to do.
#
#   lab/setup.sh          system packages (as root, with apt), the lab's Python environments, npm packages
#   lab/setup.sh --link   and the command `labswarm` on the PATH
#   lab/setup.sh --check  and the tools that check the infrastructure
#
# Package indexes are taken from the settings of pip and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 2; }

case ${1:-} in
  '' | --link | --check) ;;
  *) die "unknown option '$1'; use no option, --link or --check" ;;
esac

# ---- system packages -------------------------------------------------------------------------

# command -> Debian package that brings it
declare -A wanted=(
  [dockerd]=docker.io [docker-registry]=docker-registry [ip]=iproute2
  [iptables]=iptables [nsenter]=util-linux [unshare]=util-linux
)

want_checkers() {
  wanted[ruby]=ruby
  wanted[chromium]=chromium
  # Some distributions lack these, and a machine without a network has no lists. The checks that need one then report that they were skipped.
  [ "$(id -u)" = 0 ] && command -v apt-cache >/dev/null || return 0
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || apt-get update -qq || true
  local package
  for package in goiardi packer; do
    ! apt-cache show "$package" >/dev/null 2>&1 || wanted[$package]=$package
  done
}

python_is_usable() { /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; }

install_packages() {
  local missing=() command
  for command in "${!wanted[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing+=("${wanted[$command]}")
  done
  python_is_usable || missing+=(python3 python3-venv)
  [ -s /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "not installed: ${missing[*]} (needs root and apt-get); 'labswarm lab up' lists what it cannot do"
    return 0
  fi
  say "installing ${missing[*]}"
  # The lab starts its own daemons: the packages' services stay off while they are installed.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ] || grep -q 'labswarm set-up' "$policy"; then
    printf '#!/bin/sh\n# labswarm set-up; it removes this file when it ends\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  local log
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -20 "$log" >&2; die "apt-get could not install ${missing[*]}; fix that and try again"; }
  rm -f "$log"
  # They must not start with the machine either: a registry would listen on every address. Not every package has brought a unit.
  if command -v systemctl >/dev/null; then
    for package in "${missing[@]}"; do
      case $package in docker-registry | goiardi) systemctl disable --quiet "$package" 2>/dev/null || true ;; esac
    done
  fi
}

# ---- Python environments ---------------------------------------------------------------------

python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3) || die "python3 is not installed; install python3 and python3-venv"

# Brought up to date when its lock, its interpreter or its steps change, and for nothing else.
environment() { # $1 directory, $2 lock file, $3 a further step or none, $4.. files that this step reads
  local dir=$1 lock=$2 step=${3:-true} version stamp index
  version=$("$python" --version)
  # `true` stands for no further step, and is no function.
  stamp=$({ cat "$lock" requirements/bootstrap.lock "${@:4}"; declare -f environment; declare -f "$step" || true; } | sha256sum
    echo "$version")
  if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$stamp" ]; then
    touch "$dir/.stamp"
    return 0
  fi
  say "installing $lock into $dir"
  [ "$(tail -n 1 "$dir/.stamp" 2>/dev/null)" = "$version" ] || "$python" -m venv --clear "$dir"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/bootstrap.lock 2> >(grep -v '^WARNING: Location' >&2)
  # pip fails when no index is configured.
  index=${UV_DEFAULT_INDEX:-$("$dir/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
  index=${index:-${PIP_INDEX_URL:-}}
  rm -f "$dir/.labswarm"
  VIRTUAL_ENV=$PWD/$dir ${index:+env UV_DEFAULT_INDEX="$index"} "$dir/bin/uv" pip sync --quiet --require-hashes "$lock"
  "$step"
  echo "$stamp" >"$dir/.stamp"
}

# The project itself, editable: installed again only when its packages, commands or entry points change.
install_labswarm() {
  local installed=.venv/.labswarm
  cmp --silent pyproject.toml "$installed" && return 0
  VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet --no-deps --no-build-isolation -e .
  cp pyproject.toml "$installed"
}

finish_class() {
  # It is mounted read-only: without bytecode every server would compile everything again.
  .class/bin/python -m compileall -q -j 0 .class/lib || die "the class environment does not compile"
  npm_packages hub/proxy
}

finish_infra() {
  npm_packages tests/infrastructure
  npm_packages hub/labextension
}

npm_packages() { # $1 folder of the package.json
  PATH=$PWD/.class/bin:$PATH npm ci --prefix "$1" --silent --no-audit --no-fund
}

# Put `labswarm` on the PATH of all users, unless another program has that name.
link_command() {
  local link=/usr/local/bin/labswarm target=$PWD/.venv/bin/labswarm
  if [ -w "${link%/*}" ] && { [ ! -e "$link" ] || [[ $(readlink "$link") == */.venv/bin/labswarm ]]; }; then
    ln -sfn "$target" "$link"
  else
    say "the command is $target"
  fi
}

[ "${1:-}" != --check ] || want_checkers
install_packages
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "Python 3.11 or later is needed as $python; install it and try again"
python_is_usable || "$python" -c 'import ensurepip, venv' 2>/dev/null ||
  die "$python has no venv; install it (Debian: python3-venv) and try again"
environment .venv requirements/lab.lock
install_labswarm
environment .class requirements/class.lock finish_class hub/proxy/package-lock.json
[ "${1:-}" != --check ] ||
  environment .infra requirements/infra.lock finish_infra {tests/infrastructure,hub/labextension}/package-lock.json
[ "${1:-}" != --link ] || link_command
