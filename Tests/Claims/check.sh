#!/usr/bin/env bash
# What the real program's epochs give to wallets is paid by the distributor of deploy/evm, compiled by Vyper and run on py-evm. Every
# claim pays once; trees and proofs are computed again by a program that knows only their descriptions.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:?names a Python with the tools of Tests/python-tools.txt}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-claims-XXXXXX")
pid=
cleanup() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$folder"
}
trap cleanup EXIT
die() { echo "Claims: $*" >&2; [[ ! -s $folder/up.log ]] || grep -v '"message":"request"' "$folder/up.log" | tail -n 20 >&2; exit 1; }

"$program" up --data "$folder/home" --port 0 --origin claims.example/log >"$folder/up.out" 2>"$folder/up.log" &
pid=$!
for _ in $(seq 1200); do
  grep -q '^OpenLedger is up' "$folder/up.out" && break
  kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
  sleep 0.1
done
url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
[[ -n $url && -n $administrator ]] || die "the program was not up within two minutes"

token() { "$program" token --data "$folder/home" --service "$1" --minutes 60; }
"$python" "$root/Tests/Claims/claims.py" "$url" "$administrator" "$(token agent-gateway)" "$(token attribution)" "$(token datanet)" \
  "$(token training)" || die "see above"
