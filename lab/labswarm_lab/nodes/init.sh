#!/bin/bash
# The first process of a node, in namespaces of its own: init.sh DIR RUN_DIR HOSTNAME DOCKERD-ARGUMENT...
#
# It says its process id (as the outside knows it) on standard output, waits until standard input ends, when the
# node's network is there, and then starts dockerd. It stays, to reap what loses its parent: dockerd would not.
set -eu
dir=$1 run=$2 name=$3
shift 3
read -r pid _ </proc/self/stat # still the outside's /proc
hostname "$name"
mount -t proc proc /proc
# One folder of /etc/docker for all would be one engine id for all.
mount --bind "$dir/etc-docker" /etc/docker
[ ! -e /etc/resolv.conf ] || mount --bind "$dir/resolv.conf" /etc/resolv.conf
# The daemon takes a containerd that it finds here for its own.
mount --bind "$run/containerd" /run/containerd
if [ -e "$dir/memory-kib" ]; then
  sed "s/^MemTotal:.*/MemTotal:       $(cat "$dir/memory-kib") kB/" /proc/meminfo >"$dir/meminfo"
  mount --bind "$dir/meminfo" /proc/meminfo
fi
# Of the kernel's parameters a network of its own has some of its own.
while read -r name _ value; do
  parameter=/proc/sys/${name//.//}
  [ ! -e "$parameter" ] || echo "$value" >"$parameter" || echo "$name is not set" >&2
done <"$dir/sysctl.conf"
echo "$pid"
# The starter closes the input once the link is plugged in.
read -r _ || true
exec >"$dir/dockerd.log" 2>&1
dockerd "$@" </dev/null &
wait $!
