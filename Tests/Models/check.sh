#!/usr/bin/env bash
# A fine-tuning through REST alone against the real program: live figures, kill -9 half way, a better adapter that is asked and repeated.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:-python3}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-models-XXXXXX")
cleanup() {
  # What a test that failed left running: the program, and the PostgreSQL that it started.
  local pid
  for pid in $(pgrep -f -- "--data $folder/home" || true); do kill "$pid" 2>/dev/null || true; done
  sleep 1
  for pid in $(pgrep -f -- "$folder/home" || true); do kill "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
"$python" "$root/Tests/Models/finetune.py" "$program" "$folder" || { tail -n 30 "$folder/up.log" >&2; exit 1; }
