#!/bin/sh
# Start the proxy with COMMAND, as a service of its own: sh start.sh COMMAND...
#
# /run/proxy is shared with the hub alone: it has the token, and the socket of the proxy's API.
# Students' containers are on the proxy's network and cannot reach a socket.
set -eu
umask 077
# The last proxy's: a second one could not listen there.
rm -f /run/proxy/api.sock
CONFIGPROXY_AUTH_TOKEN=$(cat /run/proxy/token)
export CONFIGPROXY_AUTH_TOKEN
# Nothing listens at the default target. Until the hub has sent its routes, every request is answered
# with 503, which pages wait out. Without it the answer would be 404: a page takes its kernel for gone.
exec "$@" --ip 0.0.0.0 --port 8000 --api-socket /run/proxy/api.sock \
  --default-target http://127.0.0.1:9 --error-path /opt/labswarm/proxy/error
