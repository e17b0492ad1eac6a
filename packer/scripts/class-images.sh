#!/bin/bash
# Has the class images on the machine already, so that a node that starts need not pull them; /etc/labswarm/class-images lists them.
#
#   CLASS_IMAGES   image references, separated by spaces; may be empty
set -euo pipefail

install -d -m 755 /etc/labswarm
: >/etc/labswarm/class-images
for image in ${CLASS_IMAGES-}; do
  docker pull --quiet "$image"
  echo "$image" >>/etc/labswarm/class-images
done
