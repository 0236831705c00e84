#!/usr/bin/env bash
# deploy/gateway.sh makes of deploy/nginx/openledger.conf what nginx accepts, whichever services there are.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; exit 1; }
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || fail "needs nginx: apt-get install nginx-light"

"$root/deploy/make-secrets" "$scratch/secrets" >/dev/null
# Names as the containers' network would give them: nginx itself asks the system, so both are names of this machine.
mkdir "$scratch/bin"
cat >"$scratch/bin/getent" <<'SCRIPT'
#!/bin/sh
case "$2" in ledger | ledger-standby | agent-gateway) echo "127.0.0.1 $2" ;; *) exit 2 ;; esac
SCRIPT
chmod +x "$scratch/bin/getent"

fill() { PATH=$scratch/bin:$PATH GATEWAY_TEMPLATE=$1 GATEWAY_CONF=$scratch/filled.conf GATEWAY_SECRETS=$scratch/secrets "$root/deploy/gateway.sh"; }
fill "$root/deploy/nginx/openledger.conf"
grep -q '^upstream openledger_ledger .*{ server ledger:7401; server ledger-standby:7401 backup; keepalive' "$scratch/filled.conf" || fail "no ledger with its standby"
grep -q '^upstream openledger_agent_gateway { server agent-gateway:7407; keepalive' "$scratch/filled.conf" || fail "no agent-gateway"
grep -q '^upstream openledger_billing .*{ server 127.0.0.1:7406; keepalive' "$scratch/filled.conf" || fail "a missing service has a name"

# What nginx says of it, with the names replaced by an address that it can find here.
sed -E -i 's/server (ledger|ledger-standby|agent-gateway):/server 127.0.0.1:/' "$scratch/filled.conf"
cat >"$scratch/nginx.conf" <<CONF
pid $scratch/pid;
events {}
http {
  access_log off;
  client_body_temp_path $scratch/body;
  proxy_temp_path $scratch/proxy;
  include $scratch/filled.conf;
}
CONF
sed -E -i 's/server 127.0.0.1:7401; server [a-z-]+:7401 backup;/server 127.0.0.1:7401; server 127.0.0.2:7401 backup;/' "$scratch/filled.conf"
"$nginx" -t -q -c "$scratch/nginx.conf" -e "$scratch/error.log" || { cat "$scratch/error.log" 2>/dev/null; fail "nginx refuses the configuration"; }

# A placeholder that the script does not know must not slip through.
{ cat "$root/deploy/nginx/openledger.conf"; echo 'server { server_name @NEW@; }'; } >"$scratch/newer.conf"
! fill "$scratch/newer.conf" >/dev/null 2>&1 || fail "an unknown placeholder is let through"
