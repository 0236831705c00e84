#!/usr/bin/env bash
# The real program, spoken to by the clients that agents have: the Model Context Protocol in both of its eras by mcp and by fastmcp,
# Agent2Agent 1.0 by JSON-RPC and REST and 0.3 by a2a-sdk, webhooks by standardwebhooks, signed requests both ways by http-message-signatures, x402 in both versions by x402's client and facilitator client with a chain of py-evm behind it, and the
# signatures of principals made by other implementations of Ed25519 and secp256k1. Then an economy of agents that runs by itself, and the audit
# of all of it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:?names a Python with the tools of Tests/python-tools.txt}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-agents-XXXXXX")
pid=
chain=
cleanup() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  [[ -z $chain ]] || { kill "$chain" 2>/dev/null && wait "$chain" 2>/dev/null; } || true
  rm -rf "$folder"
}
trap cleanup EXIT
die() {
  echo "Agents: $*" >&2
  [[ ! -s $folder/up.log ]] || grep -v '"message":"request"' "$folder/up.log" | tail -n 20 >&2
  exit 1
}

"$python" "$root/Tests/Agents/chain.py" 84532 >"$folder/chain" 2>"$folder/chain.log" &
chain=$!
"$python" "$root/Tests/Clients/tiny_base.py" "$root/models/base" "$folder/tiny"
for _ in $(seq 600); do
  [[ ! -s $folder/chain ]] || break
  kill -0 "$chain" 2>/dev/null || die "the chain did not start: $(tail -n 5 "$folder/chain.log")"
  sleep 0.1
done
read -r node coin <"$folder/chain" || die "the chain was not up within a minute"

OPENLEDGER_X402_RPC=$node OPENLEDGER_X402_TOKEN=$coin OPENLEDGER_X402_TOKEN_CHAIN=84532 OPENLEDGER_X402_TOKEN_NAME=Coin \
  OPENLEDGER_WEBHOOKS_PLAIN=true OPENLEDGER_RUNNER_MODELS=tiny=$folder/tiny "$program" up --data "$folder/home" --port 0 >"$folder/up.out" 2>"$folder/up.log" &
pid=$!
for _ in $(seq 1200); do
  grep -q '^OpenLedger is up' "$folder/up.out" && break
  kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
  sleep 0.1
done
url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
[[ -n $url && -n $administrator ]] || die "the program was not up within two minutes"

"$python" "$root/Tests/Agents/clients.py" "$url" "$administrator" || die "a client is not content"
"$python" "$root/Tests/Agents/doors.py" "$url" "$administrator" || die "a2a-sdk, standardwebhooks or http-message-signatures is not content"
"$python" "$root/Tests/Agents/payments.py" "$url" "$administrator" "$node" "$coin" || die "x402's client is not content"
"$python" "$root/Tests/Agents/economy.py" "$url" "$administrator" >"$folder/economy" || die "the economy came to nothing: $(tail -n 20 "$folder/economy")"
tail -n 1 "$folder/economy"
"$program" audit "$url/log" --key "$(sed -n 's/^  key     //p' "$folder/up.out" | head -n 1)" >"$folder/audit" ||
  die "the log does not pass the audit: $(cat "$folder/audit")"
echo "Agents: mcp (each era, and choosing by itself), fastmcp, a2a-sdk, standardwebhooks, http-message-signatures and x402 found, hired, paid and proved; every profit of the economy is explained"
