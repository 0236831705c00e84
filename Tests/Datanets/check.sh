#!/usr/bin/env bash
# Real data sets become Datanets through REST alone, in the real program: contributors as the files name them, planted faults found,
# the manifest loaded by mlcroissant, one contributor erased, the log audited, and the same roots from a bundle alone and from a clone whose
# rows were dropped.
# OPENLEDGER_TEST_ROWS says how many rows of each file; 0 is all of them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:?names a Python with the tools of Tests/python-tools.txt}
datanets=${OPENLEDGER_TEST_DATANETS:-}
rows=${OPENLEDGER_TEST_ROWS:-250}
if [[ ! -d $datanets ]]; then
  echo "Datanets: ran without the data sets (OPENLEDGER_TEST_DATANETS names no folder)"
  exit 0
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-datanets-XXXXXX")
pid=
stop() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  pid=
}
cleanup() {
  stop
  rm -rf "$folder"
}
trap cleanup EXIT
die() { echo "Datanets: $*" >&2; [[ ! -s $folder/up.log ]] || tail -n 20 "$folder/up.log" >&2; exit 1; }

start() {
  # Emptied before it starts: what an earlier one said is not what this one says.
  : >"$folder/up.out"
  OPENLEDGER_ACCESS_LOG=false "$program" up --data "$1" --port 0 >"$folder/up.out" 2>"$folder/up.log" &
  pid=$!
  for _ in $(seq 1800); do
    grep -q '^OpenLedger is up' "$folder/up.out" && break
    kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
    sleep 0.1
  done
  url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
  key=$(sed -n 's/^  key     //p' "$folder/up.out" | head -n 1)
  [[ -n $url && -n $key ]] || die "the program was not up within three minutes"
}

start "$folder/home"
"$python" "$root/Tests/Datanets/bring.py" "$url" "$datanets" "$folder" "$rows" || die "the data sets did not become Datanets"
for place in "$folder"/*/manifest.json; do
  place=$(dirname "$place")
  "$python" "$root/Tests/Interop/load_croissant.py" "$place" "$(cat "$place/root")" >"$folder/croissant" 2>"$folder/croissant.log" ||
    { tail -n 20 "$folder/croissant" "$folder/croissant.log" >&2; die "mlcroissant does not load the manifest of $(basename "$place")"; }
  echo "  mlcroissant: $(tail -n 1 "$folder/croissant")"
done
"$python" "$root/Tests/Datanets/erase.py" "$url" "$folder" || die "the erasure of one contributor"
"$program" audit "$url/log" --key "$key" >"$folder/audit" 2>"$folder/audit.log" || { cat "$folder/audit" >&2; die "the audit is not green after the erasure"; }
echo "  audit: $(head -n 1 "$folder/audit")"
# What a stranger takes away: each root is made again from the bundle alone, in a folder of its own, with no server and no database.
"$program" export "$url/log" "$folder/stranger/bundle" --key "$key" >"$folder/export.log" 2>&1 || { cat "$folder/export.log" >&2; die "the log is not exported"; }
stop
(cd "$folder/stranger" && env -i PATH="$PATH" "$program" audit bundle --key "$key") >"$folder/audit" 2>"$folder/audit.log" ||
  { cat "$folder/audit" "$folder/audit.log" >&2; die "a stranger makes other roots of the bundle"; }
roots=$(sed -n "s/^.*[^0-9]\([0-9]\{1,\}\) snapshots' roots.*$/\1/p" "$folder/audit" | head -n 1)
[[ ${roots:-0} -ge 4 ]] || { cat "$folder/audit" >&2; die "the audit of the bundle made no roots again"; }
echo "  a bundle in another folder, without server and database: $roots roots made again"

# Another machine's clone, with nothing left of what datanet had made of the log.
cp -a "$folder/home" "$folder/clone"
start "$folder/clone"
sockets=$folder/clone/postgres/run
[[ ! -f $folder/clone/postgres/socket-folder ]] || sockets=$(cat "$folder/clone/postgres/socket-folder")
psql=$(command -v psql) || die "psql is not installed: apt-get install postgresql-client"
port=$(find "$sockets" -name '.s.PGSQL.*' ! -name '*.lock' | sed 's/.*\.//' | head -n 1)
account=$(stat -c %U "$sockets")
as() { if [[ $(id -un) == "$account" ]]; then "$@"; else runuser -u "$account" -- "$@"; fi; }
as "$psql" -qX -v ON_ERROR_STOP=1 -h "$sockets" -p "$port" -U openledger -d openledger \
  -c "drop schema datanet cascade" -c "delete from public.openledger_migrations where service = 'datanet'" 2>"$folder/psql.log" ||
  { cat "$folder/psql.log" >&2; die "the schema could not be dropped"; }
stop
start "$folder/clone"
"$python" "$root/Tests/Datanets/again.py" "$url" "$folder" || die "a clone whose rows were dropped publishes other roots"
echo "Datanets: three real data sets by REST; planted faults found; mlcroissant loads the manifests; an author erased, the audit green; a bundle and a clone have the same roots"
