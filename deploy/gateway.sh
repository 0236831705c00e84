#!/bin/sh
# Fills in deploy/nginx/openledger.conf for the containers of docker-compose.yml; the nginx image runs it before nginx.
# Each service's host is its name. nginx does not start over a name that nobody has, so a service that is not there yet is
# given an address where nobody answers: its paths are 502, the others work.
set -eu
from=${GATEWAY_TEMPLATE:-/etc/openledger/openledger.conf}
to=${GATEWAY_CONF:-/etc/nginx/conf.d/default.conf}
secrets=${GATEWAY_SECRETS:-/run/secrets}

rules=$(mktemp)
trap 'rm -f "$rules"' EXIT
while read -r upstream; do
  host=$(printf %s "$upstream" | tr _ -)
  getent hosts "$host" >/dev/null || host=127.0.0.1
  # A second instance takes over when the first does not answer.
  spare=
  if getent hosts "$host-standby" >/dev/null; then spare="server $host-standby:\\1 backup; "; fi
  printf '/^upstream openledger_%s /s#server @UPSTREAM_HOST@:\\([0-9]*\\); #server %s:\\1; %s#\n' "$upstream" "$host" "$spare"
done >"$rules" <<SERVICES
$(sed -n 's/^upstream openledger_\([a-z_]*\) .*/\1/p' "$from")
SERVICES
cat >>"$rules" <<RULES
s#@NAME@#${GATEWAY_NAME:-localhost}#
s#@LISTEN@#8443#
s#@CERTIFICATE@#$secrets/tls.crt#
s#@KEY@#$secrets/tls.key#
RULES
sed -f "$rules" "$from" >"$to"
if grep -v '^#' "$to" | grep -n '@[A-Z_]*@'; then
  echo "gateway.sh: these are left to fill in" >&2
  exit 1
fi
