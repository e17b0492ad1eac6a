#!/bin/bash
# The nodes' programs: labswarm-node, labswarm-manager, labswarm-snapshot, labswarm-document, labswarm-fitness, labswarm-labs, in an environment of their own.
#
# Run from the repository's sources (this file's folder is their packer/scripts). Their dependencies
# come from Python's package index, by the hashes in node-requirements.lock.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sources=${here%/packer/scripts}

python3 -m venv /opt/labswarm
pip() { /opt/labswarm/bin/python -m pip --disable-pip-version-check --no-cache-dir --quiet "$@"; }
pip install --require-hashes -r "$here/node-requirements.lock"
pip install --no-deps --no-build-isolation --force-reinstall "$sources"
# setuptools was there to build it.
pip uninstall -y setuptools pip

for tool in labswarm-node labswarm-manager labswarm-snapshot labswarm-document labswarm-fitness labswarm-labs; do
  ln -sfn "/opt/labswarm/bin/$tool" "/usr/local/bin/$tool"
done
install -d -m 755 /etc/labswarm
