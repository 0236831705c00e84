#!/usr/bin/env bash
# The bad day, rehearsed: a house is copied while it runs and goes on; then its folder is lost, put back, looked at and started. The same
# two scripts the containers' way, with a stand-in for the engine. And a database of an older release that is brought up to date.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-backup-XXXXXX")
pid=
stop() { [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true; pid=; }
cleanup() { stop; rm -rf "$folder"; }
trap cleanup EXIT
die() { echo "Backup: $*" >&2; tail -n 15 "$folder"/*.log >&2 2>/dev/null || true; exit 1; }
fails() { ! "$@" >"$folder/refused.log" 2>&1; }

# start OPTION… : the house, in the folder home; sets `url` and, on its first start, `administrator`.
start() {
  : >"$folder/up.out"
  "$program" up --data "$folder/home" --port 0 "$@" >"$folder/up.out" 2>"$folder/up.log" &
  pid=$!
  for _ in $(seq 1200); do
    if grep -q '^Ctrl-C stops' "$folder/up.out"; then break; fi
    kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
    sleep 0.1
  done
  url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
  [[ -n $url ]] || die "the program was not up within two minutes"
}
file() { curl -fsS -H "Authorization: Bearer $(cat "$folder/key")" "$@"; }
add_file() { file -F purpose=fine-tune -F "file=@$1;filename=rows.jsonl" "$url/v1/files" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'; }
export_log() { "$program" export "$url/log" "$1" --key-file "$folder/log.key" >>"$folder/export.log" 2>&1 || die "export fails"; }


# What newer releases brought, by two services: the house begins without the one, the database of an older release without both.
mkdir "$folder/before"
cp -r "$root/migrations/." "$folder/before"
newest=$(find "$folder/before/billing" -name '*.sql' | sort | tail -n 1)
rm "$newest"
cp -r "$folder/before" "$folder/older"
for service in "$folder"/older/*/; do find "$service" -name '*.sql' | sort | tail -n +2 | xargs -r rm; done

# ---------------------------------------------------------------- a house with something in it, and its copy
OPENLEDGER_MIGRATIONS=$folder/before start
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
python3 "$root/Tests/Clients/prepare.py" "$url" "$administrator" "$folder" || die "a caller could not be made"
curl -fsS "$url/log/v1/keys" >"$folder/log.key"
printf '{"prompt":"Which light marks the bar?","completion":"The red one."}\n' >"$folder/first.jsonl"
printf '{"prompt":"And the channel?","completion":"The green one."}\n' >"$folder/second.jsonl"
first=$(add_file "$folder/first.jsonl")
[[ -n $first ]] || die "no file could be added"

"$root/deploy/backup" --data "$folder/home" "$folder/copies" >"$folder/backup.log" 2>&1 || die "the backup fails"
copy=$(find "$folder/copies" -mindepth 1 -maxdepth 1 -name '2*')
[[ -n $copy && -z $(find "$folder/copies" -name '.*part') ]] || die "there is no whole backup"
[[ $(stat -c %a "$copy") == 700 && $(stat -c %a "$copy/keys.tar") == 600 ]] || die "others can read the backup"
! tar -tf "$copy/content-agent-gateway.tar" | grep -E '(^|/)(owners|content\.key)' >/dev/null || die "the keys lie with the content"
tar -tf "$copy/keys-agent-gateway.tar" | grep content.key >/dev/null || die "the gateway's key is in no copy"
fails "$root/deploy/backup" --data "$folder/nothing" "$folder/copies" || die "a house that is not there is copied"
kept=$(sed -n 's/^events //p' "$copy/about")

# What is written after the copy is lost with the folder: readers have seen it, in an export.
second=$(add_file "$folder/second.jsonl")
curl -fsS -H "Authorization: Bearer $administrator" -H 'Content-Type: application/json' -H 'Idempotency-Key: after' \
  -d '{"account":"payer:later","asset":"USDC/6"}' "$url/v1/accounts" >/dev/null || die "nothing could be written after the backup"
sleep 1
export_log "$folder/seen"

# ---------------------------------------------------------------- the containers' way
socket=$(sed -n 5p "$folder/home/postgres/data/postmaster.pid") port=$(sed -n 4p "$folder/home/postgres/data/postmaster.pid")
mkdir -p "$folder/engine/deploy" "$folder/volumes/postgres" "$folder/volumes/shared"
cp "$root/deploy/backup" "$root/deploy/restore" "$folder/engine/deploy"
mkdir "$folder/engine/deploy/secrets" && echo secret >"$folder/engine/deploy/secrets/one"
# A stand-in for the engine: `exec` and `run` become programs of this machine, the services' volumes folders of it.
cat >"$folder/engine/docker-compose" <<SCRIPT
#!/usr/bin/env bash
set -euo pipefail
export PGHOST=$socket PGPORT=$port PATH=/usr/lib/postgresql/$(cat "$folder/home/postgres/data/PG_VERSION")/bin:\$PATH
verb=\$1 ; shift
volumes=$folder/home
case \$verb in
  ps) exit ;;
  exec) [[ \$1 == -T ]] ; shift ; service=\$1 program=\$2 ; shift 2 ;;
  run) [[ "\$1 \$2 \$3 \$4" == "--rm --no-deps -T --entrypoint" ]] ; program=\$5 service=\$6 ; shift 6 ; volumes=$folder/volumes ;;
esac
words=()
for word in "\$@"; do
  case \$word in
    /var/lib/openledger-shared) word=\$volumes/shared ;;
    /var/lib/openledger) word=\$volumes/\$service ; mkdir -p "\$word" ;;
    /var/lib/postgresql/data) word=\$volumes/postgres ;;
  esac
  words+=("\$word")
done
exec "\$program" "\${words[@]}"
SCRIPT
chmod 755 "$folder/engine/docker-compose"
compose() { PATH=$folder/engine:$PATH "$folder/engine/deploy/$1" --compose "${@:2}" >"$folder/compose.log" 2>&1; }
compose backup "$folder/composed" || die "the backup of containers fails"
composed=$(find "$folder/composed" -mindepth 1 -maxdepth 1 -name '2*')
fails "$root/deploy/restore" --data "$folder/wrong" "$composed" || die "a backup of containers is restored as a folder"
rm -r "$folder/engine/deploy/secrets"
(cd "$folder/composed" && compose restore "./${composed##*/}") || die "the containers can't be restored"
# An engine takes no path from here for a volume.
grep -qF -- "-v $(realpath "$composed")/log:/kept" "$folder/compose.log" || die "the restore names its log by a path that no engine takes"
for service in shared ingest datanet training agent-gateway; do
  diff -r "$folder/home/$service" "$folder/volumes/$service" >"$folder/diff.log" || die "the volume of $service is not what it was"
done
[[ $(cat "$folder/engine/deploy/secrets/one") == secret && -s $folder/volumes/postgres/PG_VERSION ]] || die "secrets or database were not restored"
! compose restore "$composed" || die "full volumes were restored over"
echo "  the containers' volumes, with a stand-in for their engine"

# ---------------------------------------------------------------- upgrade, beside it: tables of an older release, with this log in them
database() { echo "postgresql://$1@/older?host=${socket//\//%2F}&port=$port"; }
sql() { psql -X -q -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -U openledger "$@" >>"$folder/psql.log" 2>&1 || die "psql fails"; }
dump() { pg_dump -h "$socket" -p "$port" -U openledger "$@" 2>>"$folder/psql.log"; }
migrate() { OPENLEDGER_DATABASE=$(database openledger) OPENLEDGER_MIGRATIONS=$1 "$program" migrate "${@:2}" 2>&1; }
sql -d openledger -c 'create database older'
migrate "$folder/older" >"$folder/migrate.log" || die "the older migrations fail"
dump -d openledger --data-only --disable-triggers -t ledger.events -t ledger.tiles -t ledger.terms -t ledger.identity -t ledger.checkpoints \
  >"$folder/log.sql" || die "pg_dump fails"
sql -d older -f "$folder/log.sql"
owed=$(($(find "$root/migrations" -name '*.sql' | wc -l) - $(find "$folder/older" -name '*.sql' | wc -l)))
[[ $(migrate "$root/migrations" --plan | grep -c '^would apply') == "$owed" ]] || die "not $owed migrations are planned"
[[ $(migrate "$root/migrations" | grep -c '^applied') == "$owed" ]] || die "not $owed migrations were applied"
migrate "$root/migrations" | grep 'was up to date' >/dev/null || die "a second run of migrate does something"
fails migrate "$folder/older" || die "an older release takes a newer database"
"$root/deploy/make-secrets" "$folder/secrets" >/dev/null
OPENLEDGER_DATABASE=$(database openledger_ledger) OPENLEDGER_JWKS=$folder/secrets/jwks.json OPENLEDGER_LOG_KEY_FILE=$folder/home/keys/log.pem \
  OPENLEDGER_LOG_ORIGIN=localhost/log OPENLEDGER_HOST=unix:$folder/ledger.sock "$program" serve ledger >"$folder/serve.log" 2>&1 &
served=$!
for _ in $(seq 600); do curl -fsS --unix-socket "$folder/ledger.sock" http://ledger/readyz >/dev/null 2>&1 && break; sleep 0.1; done
curl -fsS --unix-socket "$folder/ledger.sock" http://ledger/log/checkpoint >"$folder/upgraded.note" || die "the ledger does not start over the upgraded database"
curl -fsS --unix-socket "$folder/ledger.sock" -H "Authorization: Bearer $(cat "$folder/secrets/metrics_token")" http://ledger/metrics >"$folder/metrics" ||
  die "the token of deploy/metrics-token does not open /metrics"
grep -q '^openledger_log_size' "$folder/metrics" || die "/metrics says nothing of the log"
kill "$served" && wait "$served" || true
[[ $(sed -n 2p "$folder/upgraded.note") -ge $kept ]] || die "the upgraded log is shorter than it was"
echo "  an upgrade of $owed migrations"

# ---------------------------------------------------------------- the bad day
stop
rm -rf "${folder:?}/home"
cp -r "$copy" "$folder/damaged"
printf x >>"$folder/damaged/database.tar.gz"
fails "$root/deploy/restore" --data "$folder/home" "$folder/damaged" || die "a damaged backup is restored"
[[ ! -e $folder/home ]] || die "a refused restore leaves something behind"
"$root/deploy/restore" --data "$folder/home" "$copy" >"$folder/restore.log" 2>&1 || die "the restore fails"
fails "$root/deploy/restore" --data "$folder/home" "$copy" || die "a restore overwrites what is there"

# Looked at before anybody writes: the log is what it was, and shorter than what was seen.
start --ledger-only
grep -q "migration billing/" "$folder/up.log" || die "the restored database was not brought up to date"
audit() { "$program" audit "$url/log" --key-file "$folder/log.key" "$@"; }
audit --checkpoints "$copy/log" >"$folder/audit.log" 2>&1 || die "the restored log does not pass"
grep -q ' 1 kept checkpoint' "$folder/audit.log" || die "the kept checkpoint was not compared"
fails audit --log-only --checkpoints "$folder/seen" || die "nobody notices that the restored log is shorter than what was seen"
export_log "$folder/restored"
size=$(sed -n 2p "$folder/restored/checkpoint")
((size >= kept && size < $(sed -n 2p "$folder/seen/checkpoint"))) || die "the restored log has $size events"
stop
# Byte for byte the beginning of what was seen.
python3 - "$folder/seen" "$folder/restored" "$size" <<'PYTHON' || die "the restored log is not a prefix of what was seen"
import pathlib, sys
def events(folder):
    text = b""
    for path in sorted((pathlib.Path(folder) / "tile/entries").rglob("*")):
        if path.is_file():
            text += path.read_bytes()
    return text
seen, restored = events(sys.argv[1]), events(sys.argv[2])
assert restored and seen.startswith(restored) and len(seen) > len(restored), (len(seen), len(restored))
PYTHON

start
file "$url/v1/files/$first/content" | cmp - "$folder/first.jsonl" || die "the restored content is not what was copied"
fails file "$url/v1/files/$second/content" || die "what came after the copy is there"
[[ -n $(add_file "$folder/second.jsonl") ]] || die "the restored house takes nothing in"
sleep 1
audit --checkpoints "$copy/log" >"$folder/audit.log" 2>&1 || die "the restored house does not pass the audit"
stop
echo "Backup: copied while it ran, lost, restored, audited ($size of $(sed -n 2p "$folder/seen/checkpoint") events); one that is shorter than what was seen is noticed"
