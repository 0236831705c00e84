#!/usr/bin/env bash
# The scripts and the deployment files, by the tools that read them for a living.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check() {
  local name=$1
  shift
  "$@" >"$scratch/out" 2>&1 || { echo "$name:"; cat "$scratch/out"; exit 1; }
  echo "  $name"
}

# Whatever begins as a shell script does. One awk for all: a process for each file would take minutes.
mapfile -t scripts < <(find . \( -name .git -o -name '.build*' -o -name .openledger \) -prune -o -type f -size -200k -print0 |
  xargs -0 awk 'FNR == 1 { if (/^#!.*[\/ ](ba)?sh( |$)/) print FILENAME; nextfile }')
[[ ${#scripts[@]} -ge 3 ]] || { echo "found only ${#scripts[@]} shell scripts"; exit 1; }
check "shellcheck of ${#scripts[@]} scripts" shellcheck "${scripts[@]}"

check "hadolint of the Dockerfiles" hadolint --failure-threshold info Dockerfile Services/RunnerPEFT/Dockerfile

# docker-compose reads the secrets' paths, not their content.
check "docker-compose config" docker-compose -f docker-compose.yml config -q
check "docker-compose config with its profiles" docker-compose -f docker-compose.yml --profile vllm --profile monitoring config -q
check "compose-spec schema" check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
docker-compose -f docker-compose.yml --profile vllm --profile monitoring config >"$scratch/resolved.yml"

check "what the deployment promises" python3 Tests/Deploy/promises.py "$scratch/resolved.yml"
check "make-secrets" bash Tests/Deploy/secrets.sh
check "healthy" bash Tests/Deploy/healthy.sh
check "gateway" bash Tests/Deploy/gateway.sh
check "./openledger on a bad day" bash Tests/Deploy/newcomer.sh
if command -v promtool >/dev/null; then
  # The paths are the container's.
  mkdir "$scratch/prometheus"
  sed "s#/etc/prometheus/#$scratch/prometheus/#; s#/run/secrets/metrics_token#$scratch/prometheus/token#" deploy/prometheus/prometheus.yml >"$scratch/prometheus/prometheus.yml"
  cp deploy/prometheus/alerts.yml "$scratch/prometheus" && echo token >"$scratch/prometheus/token"
  check "promtool of Prometheus' rules" promtool check config "$scratch/prometheus/prometheus.yml"
else
  echo "  ran without: promtool (Debian's package prometheus)"
fi
