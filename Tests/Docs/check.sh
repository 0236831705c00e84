#!/usr/bin/env bash
# The documentation against the real program: every command of the README's tour is run as it stands there, every problem has its
# line and every line its problem, every setting and metric is named, and the AsyncAPI document has every event type and fits its schema.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
schemas=${OPENLEDGER_TEST_SCHEMAS:-$root/../shared/reference/schemas}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-docs-XXXXXX")
pid=
cleanup() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$folder"
}
trap cleanup EXIT
die() {
  echo "Docs: $*" >&2
  [[ ! -s $folder/out ]] || tail -n 20 "$folder/out" >&2
  [[ ! -s $folder/up.log ]] || grep -v '"message":"request"' "$folder/up.log" | tail -n 10 >&2
  exit 1
}

# A folder as a clone is, for commands that are typed in it.
mkdir "$folder/clone"
ln -s "$root/docs" "$folder/clone/docs"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$program" >"$folder/clone/openledger"
chmod 755 "$folder/clone/openledger"
cd "$folder/clone"

# start OPTION… : the program, as it is typed; sets `url`.
start() {
  : >"$folder/up.out"
  ./openledger up --port 0 "$@" >"$folder/up.out" 2>"$folder/up.log" &
  pid=$!
  for _ in $(seq 1200); do
    grep -q '^Ctrl-C stops' "$folder/up.out" && break
    kill -0 "$pid" 2>/dev/null || die "the program ended before it was up"
    sleep 0.1
  done
  url=$(sed -n 's/^OpenLedger is up: //p' "$folder/up.out")
}

start --ledger-only --data tour
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
[[ -n $url && -n $administrator ]] || die "the program was not up within two minutes"

# The README says port 7400; any free one will do here. curl exits 0 for a refusal, so what it prints is looked at.
# shellcheck disable=SC2016
sed -n '/^```sh$/,/^```$/p' "$root/README.md" | grep -v '^```' | sed "s#http://127.0.0.1:7400#$url#g" >"$folder/tour.sh"
[[ $(wc -l <"$folder/tour.sh") -ge 12 ]] || die "the README has lost its tour"
bash -euo pipefail "$folder/tour.sh" >"$folder/out" 2>&1 || die "the README's tour fails"
if grep -q '/problems/' "$folder/out" deposit.tlog-proof log.key; then die "a request of the README's tour is refused"; fi
[[ $(grep -o '"position":0,"stream":"account/acme"' "$folder/out" | wc -l) == 2 ]] || die "the repeated append was not answered as at first"
grep -q '^The proof holds' "$folder/out" || die "the proof of the README's tour does not hold"
[[ $(grep -c '^The log is sound' "$folder/out") == 2 ]] || die "the audits of the README's tour do not pass"
echo "  the README's tour"

python3 - "$root" "$url" <<'PY' || exit 1
import json, pathlib, re, sys, urllib.error, urllib.request
root, url = pathlib.Path(sys.argv[1]), sys.argv[2]
faults = []
rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", (root / "docs/problems.md").read_text(), re.M))
# Without their documentation, which has examples.
sources = {path: re.sub(r"^\s*///.*$", "", path.read_text(), flags=re.M) for folder in ("Shared", "Services") for path in (root / folder).rglob("*.swift")}
known = set()
# Codes of services that do not run here, by their status: of them the table is held against the sources.
apart = {}
for path, text in sources.items():
    # Declared one by one or in a list of (code, status, title).
    declared = dict(re.findall(r'\("([a-z-]+)", (\d{3}), "', text))
    known |= set(declared)
    if path.is_relative_to(root / "Services") and not path.is_relative_to(root / "Services/Ledger") or "ServiceShell" in path.parts:
        apart |= declared
    if path.name == "LogProblem.swift":
        known |= set(re.findall(r'"([a-z-]+)", \d{3}', text)) | set(re.findall(r'return \("([a-z-]+)"', text))
        known |= set(re.findall(r'^\s+"([a-z-]+)", (?:status|\d{3})', text, re.M))
    if path.name == "EventError.swift":
        known |= {raw or name for name, raw in re.findall(r'case (\w+)(?: = "([a-z-]+)")?$', text, re.M)}
for code, status in rows.items():
    if code in apart and apart[code] != status:
        faults.append(f"{code} is {apart[code]} in the sources, not {status}")
    try:
        found = json.load(urllib.request.urlopen(f"{url}/problems/{code}"))
        if str(found["status"]) != status:
            faults.append(f"{code} is {found['status']}, not {status}")
    except urllib.error.HTTPError as error:
        if code not in apart:
            faults.append(f"no problem is called {code}: {error.code}")
if len(apart) < 20:
    faults.append(f"only {len(apart)} codes of the services were found in the sources")
faults += [f"{code} has no line" for code in sorted(known - set(rows))]
if len(known) < 30:
    faults.append(f"only {len(known)} codes were found in the sources")
print("\n".join(faults) or f"  {len(rows)} problems")
sys.exit(bool(faults))
PY

python3 - "$root" <<'PY' || exit 1
import pathlib, re, sys
root = pathlib.Path(sys.argv[1])
text = (root / "docs/operating.md").read_text()
named = set(re.findall(r"OPENLEDGER_[A-Z0-9_]+", text))
for first, rest in re.findall(r"`(OPENLEDGER_[A-Z]+_)[A-Z]+`, `_([A-Z]+)`", text):
    named.add(first + rest)
used = set()
services = {
    (raw or name).upper().replace("-", "_")
    for name, raw in re.findall(r'^    case (\w+)(?: = "([a-z-]+)")?$', (root / "Shared/Events/Service.swift").read_text(), re.M)
}
for path in (root / "Services").rglob("*.swift"):
    text = path.read_text()
    used |= set(re.findall(r'settings\.\w+\(\s*"([A-Z0-9_]+)"', text))
    # One for each service: OPENLEDGER_<SERVICE>_URL and the like.
    for end in re.findall(r'settings\.\w+\(\s*(?:"\\\(\w+\.setting\)|\w+\.setting \+ ")([A-Z0-9_]+)"', text):
        used |= {service + end for service in services}
faults = [f"OPENLEDGER_{name} is not in docs/operating.md" for name in sorted(used) if f"OPENLEDGER_{name}" not in named]
known = {f"OPENLEDGER_{name}" for name in used} | {f"OPENLEDGER_{name}_FILE" for name in used} | {"OPENLEDGER_CONFIG", "OPENLEDGER_JWKS", "OPENLEDGER_LOG_LEVEL", "OPENLEDGER_"}
# Read by the private PostgreSQL by itself, and by docker-compose.
known |= set(re.findall(r'environment\("(OPENLEDGER_\w+)"\)', "".join(path.read_text() for path in (root / "Shared/PrivatePostgres").glob("*.swift"))))
known |= set(re.findall(r"\$\{(OPENLEDGER_\w+)", (root / "docker-compose.yml").read_text()))
faults += [f"docs/operating.md names {name}, which nothing reads" for name in sorted(named - known)]
if len(used) < 15:
    faults.append(f"only {len(used)} settings were found in the sources")
print("\n".join(faults) or f"  {len(used)} settings")
sys.exit(bool(faults))
PY

# What an audit cannot check is told by name.
python3 - "$root" <<'PY' || exit 1
import pathlib, re, sys

root = pathlib.Path(sys.argv[1])
text = (root / "docs/auditors.md").read_text()
gaps = {
    gap
    for folder in ("Services", "Shared")
    for path in (root / folder).rglob("*.swift")
    for gap in re.findall(r'ReplayGap\(\s*"((?:[^"\\]|\\.)*)"', path.read_text())
}
faults = [f"docs/auditors.md does not say what remains of \"{gap}\"" for gap in sorted(gaps) if "*" + re.sub(r"\\\(.*", "…", gap) + "*" not in text]
if len(gaps) < 20:
    faults.append(f"only {len(gaps)} gaps were found in the sources")
print("\n".join(faults) or f"  {len(gaps)} gaps of an audit")
sys.exit(bool(faults))
PY

curl -fsS -H "Authorization: Bearer $administrator" "$url/metrics" >"$folder/metrics" || die "/metrics"
for metric in $(grep -oE '`openledger_(log|carriage|http)[a-z_]+' "$root/docs/operating.md" | tr -d '`' | sort -u); do
  grep -q "^# HELP $metric " "$folder/metrics" || die "docs/operating.md names $metric, which is not measured"
done
echo "  the metrics"

# The OpenAPI document that the whole house serves: it has every service's paths, and a validator that knows OpenAPI 3.1 takes it.
kill "$pid" && wait "$pid" || true
# It is told of the backends that docker-compose.yml gives it with its profile vllm.
OPENLEDGER_BACKENDS=$root/deploy/vllm/backends.json start --data house
administrator=$(sed -n "s/^The administrator's API key, shown this once: //p" "$folder/up.out")
curl -fsS "$url/openapi.json" >"$folder/openapi.json" || die "/openapi.json"
curl -fsS -H "Authorization: Bearer $administrator" "$url/v1/inferences/backends" >"$folder/out" || die "/v1/inferences/backends"
[[ $(grep -cE '"(gpu|here)"' <(tr , '\n' <"$folder/out")) == 2 ]] || die "the gateway does not know the backends of deploy/vllm/backends.json"
kill "$pid" && wait "$pid" || true
pid=
python3 - "$folder" "$root" <<'PY' || exit 1
import json, pathlib, re, sys
folder = pathlib.Path(sys.argv[1])
house = json.load(open(folder / "openapi.json", encoding="utf-8"))
# Of each service, the beginnings of its paths.
owners = {
    "ledger": ["/log"], "ingest": ["/v1/contributions", "/v1/contributors"], "datanet": ["/v1/datanets", "/v1/snapshots", "/v1/proposals", "/v1/rulings"],
    "training": ["/v1/base-models", "/v1/adapters", "/v1/training-jobs", "/v1/runners"], "attribution": ["/v1/attributions"],
    "billing": ["/v1/accounts", "/v1/holds", "/v1/settlements", "/v1/disputes", "/v1/stakes", "/v1/epochs", "/v1/claims", "/v1/statements", "/v1/receipts"],
    "agent-gateway": ["/v1/principals", "/v1/keys", "/v1/chat", "/v1/models", "/v1/mandates", "/v1/tasks", "/mcp", "/a2a", "/x402"],
}
faults = [f"/openapi.json has no path of {service} under {start}" for service, starts in owners.items() for start in starts
          if not any(path == start or path.startswith(start + "/") for path in house["paths"])]
open_ways = 0
for path, ways in house["paths"].items():
    for method, way in ways.items():
        if not isinstance(way, dict) or "responses" not in way:
            continue
        open_ways += not way.get("security")
        if way.get("security") and "401" not in way["responses"]:
            faults.append(f"{method} {path} asks for a credential and does not say 401")
if not 20 < open_ways < 80:
    faults.append(f"{open_ways} ways in need no credential")
# Whoever writes is told how far on the log, and a read of the same service that carries it waits until it is there.
def declares(way, code):
    return "Ledger-Position" in way["responses"].get(code, {}).get("headers", {})
tells, waits = {}, {}
for path, ways in house["paths"].items():
    owner = next((name for name, starts in owners.items() if any(path == start or path.startswith(start + "/") for start in starts)), "")
    for method, way in ways.items():
        if not isinstance(way, dict) or "responses" not in way:
            continue
        told = any(declares(way, code) for code in way["responses"])
        tells[owner] = tells.get(owner, 0) + told
        waits[owner] = waits.get(owner, 0) + any(p["name"] == "Ledger-Position" and p["in"] == "header" for p in way.get("parameters", []))
        keyed = any(p["name"] == "Idempotency-Key" and p["required"] for p in way.get("parameters", []))
        # Where webhooks go is no event.
        if owner in ("datanet", "billing") and keyed and not told and "/webhooks" not in path:
            faults.append(f"{method} {path} does not declare the Ledger-Position of its answer")
for owner in ("datanet", "billing", "agent-gateway"):
    if tells.get(owner, 0) < 10 or waits.get(owner, 0) < 5:
        faults.append(f"of {owner} {tells.get(owner, 0)} ways tell a Ledger-Position and {waits.get(owner, 0)} wait for one")
# The door knows each path, and only once; what each service has for itself, and the runner's, does not go through it.
door = re.findall(r"^ +~(\S+) +openledger_\w+;$", (pathlib.Path(sys.argv[2]) / "deploy/nginx/openledger.conf").read_text(), re.M)
if len(door) < 8:
    faults.append(f"only {len(door)} lines of the map in deploy/nginx/openledger.conf were read")
own = re.compile(r"^/(healthz|readyz|metrics|openapi\.json|problems|runner)(/|$)")
for path in house["paths"]:
    ways = sum(bool(re.search(pattern, path)) for pattern in door)
    if not own.match(path) and ways != 1:
        faults.append(f"deploy/nginx/openledger.conf has {ways} lines for {path}")
print("\n".join(faults) or f"  {len(house['paths'])} paths, {open_ways} of their ways public")
sys.exit(bool(faults))
PY
if command -v openapi-spec-validator >/dev/null; then
  openapi-spec-validator "$folder/openapi.json" >"$folder/out" 2>&1 || die "/openapi.json is no valid OpenAPI 3.1"
  echo "  openapi.json is valid OpenAPI 3.1"
else
  die "openapi-spec-validator is missing: ./openledger test installs it"
fi

# Links within the repository lead somewhere.
while IFS=: read -r file link; do
  [[ $link != http && $link != https ]] || continue
  [[ -e $(dirname "$file")/$link ]] || die "$file links to $link, which is not there"
done < <(cd "$root" && find README.md CONTRIBUTING.md docs Benchmarks -name '*.md' -print0 |
  xargs -0 grep -oHE '\]\([^)#:]+' | sed "s#^\([^:]*\):](#$root/\1:#")
echo "  the links"

python3 "$root/Tests/Docs/asyncapi.py" || die "docs/asyncapi.json is behind the sources"
if [[ ! -e $schemas/asyncapi-3.1.0.json ]]; then
  echo "  ran without: the AsyncAPI schema (OPENLEDGER_TEST_SCHEMAS names no folder with asyncapi-3.1.0.json)"
elif ! command -v check-jsonschema >/dev/null; then
  die "check-jsonschema is missing: ./openledger test installs it"
else
  check-jsonschema --schemafile "$schemas/asyncapi-3.1.0.json" "$root/docs/asyncapi.json" >"$folder/out" 2>&1 || die "docs/asyncapi.json does not fit AsyncAPI 3.1.0"
  echo "  asyncapi.json fits AsyncAPI 3.1.0"
fi
