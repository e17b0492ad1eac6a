#!/usr/bin/env bash
# Installs the project into .venv as lab/setup.sh does, without system packages: uv by its own lock, everything else by the lab's. The
# runners' own pip is older than that lock needs.
#
#   python.sh [VERSION]    VERSION: a Python that uv fetches, in place of the machine's
set -euo pipefail
cd "$(dirname "$0")/../.."

tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
python3 -m venv "$tool"
"$tool/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock

"$tool/bin/uv" venv --quiet --clear --python "${1:-python3}" .venv
export VIRTUAL_ENV=$PWD/.venv
"$tool/bin/uv" pip sync --quiet --require-hashes requirements/lab.lock
"$tool/bin/uv" pip install --quiet --no-deps --no-build-isolation -e .
.venv/bin/python --version
