#!/usr/bin/env bash
# The log of the real program, made through REST by a client in another language, is verified by programs that are not ours:
# golang.org/x/mod's sumdb packages, pymerkle, and a verifier of proof files that knows only the format's description.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:?names a Python with the tools of Tests/python-tools.txt}
count=${OPENLEDGER_TEST_EVENTS:-10000}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-interop-XXXXXX")
pid=
cleanup() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$folder"
}
trap cleanup EXIT
die() { echo "Interop: $*" >&2; [[ ! -s $folder/up.log ]] || tail -n 20 "$folder/up.log" >&2; exit 1; }

"$program" up --ledger-only --data "$folder/home" --port 0 --origin interop.example/log >"$folder/up.out" 2>"$folder/up.log" &
pid=$!
for _ in $(seq 600); do
  grep -q '^OpenLedger is up' "$folder/up.out" && break
  kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
  sleep 0.1
done
url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
key=$(sed -n 's/^  key     //p' "$folder/up.out" | head -n 1)
[[ -n $url && -n $key ]] || die "the program was not up within a minute"

token() { "$program" token --data "$folder/home" --service "$1" --minutes 60; }
"$python" "$root/Tests/Interop/append.py" "$url" "$count" "$(token billing)" "$(token datanet)" "$(token training)" || die "appends through REST failed"
size=$(curl -fsS -H "Authorization: Bearer $(token billing)" "$url/log/v1/status" | "$python" -c 'import json,sys; print(json.load(sys.stdin)["size"])')
for _ in $(seq 100); do
  [[ $(curl -fsS "$url/log/checkpoint" | sed -n 2p) == "$size" ]] && break
  sleep 0.1
done

"$program" export "$url/log" "$folder/bundle" --key "$key" >/dev/null || die "export failed"
"$program" audit --log-only "$folder/bundle" --key "$key" || die "our own audit failed"
"$program" audit --log-only "$url/log" --key "$key" >/dev/null || die "our own audit from the server failed"

if command -v go >/dev/null && [[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]]; then
  GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$folder/go GOFLAGS='' go build -o "$folder/verify" "$root/Tests/Interop/verify.go"
  "$folder/verify" "$folder/bundle" "$key" || die "golang.org/x/mod does not accept the log"
else
  die "go and golang-golang-x-mod-dev are not installed: apt-get install golang golang-golang-x-mod-dev"
fi
"$python" "$root/Tests/Interop/verify_pymerkle.py" "$folder/bundle" || die "pymerkle does not find the signed root"

for position in 0 1 255 256 $((size / 2)) $((size - 1)); do
  curl -fsS "$url/log/v1/events/$position/proof" >"$folder/$position.tlog-proof"
  "$program" verify "$folder/$position.tlog-proof" --key "$key" >/dev/null || die "our own verifier refuses the proof of $position"
  "$python" "$root/docs/verify/verify.py" "$folder/$position.tlog-proof" "$key" >/dev/null || die "verify.py refuses the proof of $position"
done

# What is altered must be found: one bit of one event, by everybody.
bundle=$folder/bundle/tile/entries/000
"$python" - "$bundle" <<'PY'
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 1
open(path, "wb").write(data)
PY
if "$program" audit --log-only "$folder/bundle" --key "$key" >"$folder/altered" 2>&1; then die "our own audit accepts an altered event"; fi
grep -q 'position' "$folder/altered" || die "our own audit does not name the position of an altered event: $(cat "$folder/altered")"
if "$folder/verify" "$folder/bundle" "$key" >/dev/null 2>&1; then die "golang.org/x/mod accepts an altered event"; fi
if "$python" "$root/Tests/Interop/verify_pymerkle.py" "$folder/bundle" >/dev/null 2>&1; then die "pymerkle accepts an altered event"; fi
echo "Interop: $size events made through REST are verified by golang.org/x/mod, by pymerkle and by docs/verify/verify.py"
