#!/usr/bin/env bash
# A fine-tuning through REST alone against the real program: live figures, kill -9 half way, a better adapter that is asked and repeated.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:-python3}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-models-XXXXXX")
# The processes whose arguments name the folder; a bare machine has no pgrep.
running() { grep -lsF -- "$folder/home" /proc/[0-9]*/cmdline | cut -d/ -f3 || true; }
cleanup() {
  # What a test that failed left running: the program, and then the PostgreSQL that it started.
  local pid
  for pid in $(running); do kill "$pid" 2>/dev/null || true; done
  sleep 1
  for pid in $(running); do kill "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
"$python" "$root/Tests/Models/finetune.py" "$program" "$folder" || { tail -n 30 "$folder/up.log" >&2; exit 1; }
