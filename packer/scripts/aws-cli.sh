#!/bin/bash
# The AWS command line and botocore, in an environment of their own: Ubuntu 24.04 has the first as a snap only.
#
# From Python's package index, by the hashes in aws-cli-requirements.lock.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

python3 -m venv /opt/labswarm-aws
/opt/labswarm-aws/bin/python -m pip --disable-pip-version-check --no-cache-dir --quiet install \
  --require-hashes -r "$here/aws-cli-requirements.lock"
ln -sfn /opt/labswarm-aws/bin/aws /usr/local/bin/aws
