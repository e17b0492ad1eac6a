#!/bin/sh
# Sets the Chef Server up, or waits for the set-up that is under way. Where it fails, the unit tries again by itself (a grant may be late), but
# `systemctl start` ends at once: https://github.com/systemd/systemd/issues/32017
tries=5
until systemctl start labswarm-chef-server.service; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 1
    sleep 60
done
