#!/bin/bash
# Docker Engine as Ubuntu packages and patches it. The cookbooks configure it; nobody but root may use it.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

apt-get -q install -y --no-install-recommends docker.io iptables
systemctl enable docker.service
