#!/usr/bin/env bash
# Two verifiers that were written apart, ours and docs/verify/receipt.py, agree on every receipt: those that hold, and those that were
# tampered with, for which both name the same fault.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${OPENLEDGER_TEST_BINARY:?names the program to test}
python=${OPENLEDGER_TEST_PYTHON:-python3}
folder=$(mktemp -d "${TMPDIR:-/tmp}/openledger-receipts-XXXXXX")
trap 'rm -rf "$folder"' EXIT
export PYTHONDONTWRITEBYTECODE=1

counts=$("$python" "$root/Tests/Receipts/make_receipts.py" "$folder")
key=$(cat "$folder/key")
wrong=0
for file in "$folder"/*.json; do
  name=$(basename "$file" .json)
  expected=$(cat "${file%.json}.word")
  trust=("$key") options=(--key "$key")
  if [[ -e ${file%.json}.policy ]]; then
    trust=(--policy "${file%.json}.policy")
    options=("${trust[@]}")
  fi
  ours=holds
  "$program" verify "$file" "${options[@]}" >"$folder/ours" 2>&1 || ours=$(sed -n 's/^THE RECEIPT DOES NOT HOLD: \([a-z]*\):.*/\1/p' "$folder/ours")
  theirs=holds
  "$python" "$root/docs/verify/receipt.py" "$file" "${trust[@]}" >"$folder/theirs" 2>&1 || theirs=$(sed -n 's/^THE RECEIPT DOES NOT HOLD: \([a-z]*\):.*/\1/p' "$folder/theirs")
  if [[ $ours != "$expected" || $theirs != "$expected" ]]; then
    echo "Receipts: $name is \"$expected\"; ours says \"${ours:-nothing}\", receipt.py \"${theirs:-nothing}\"" >&2
    tail -n 2 "$folder/ours" "$folder/theirs" >&2
    wrong=$((wrong + 1))
  fi
done
((wrong == 0)) || { echo "Receipts: $wrong verdicts are wrong" >&2; exit 1; }
read -r good bad <<<"$counts"
echo "Receipts: both verifiers accept $good receipts and name the same fault of $bad that were tampered with"
