"""Loads a snapshot's manifest with mlcroissant, which is not ours, and computes the root from what it loaded.

    python load_croissant.py FOLDER ROOT

FOLDER holds `manifest.json` and `list` as the service serves them. Exits with 0 when the manifest is valid Croissant 1.1 without
errors, all records load, and the RFC 6962 root over them is ROOT (64 hexadecimal digits).
"""

import hashlib
import json
import sys

import mlcroissant


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


folder, wanted = sys.argv[1:3]
dataset = mlcroissant.Dataset(folder + "/manifest.json")
issues = dataset.metadata.ctx.issues
if issues.errors:
    sys.exit("\n".join(str(error) for error in issues.errors))
print("\n".join(str(warning) for warning in issues.warnings))

leaves = []
for record in dataset.records("items"):
    item = {}
    for name, value in record.items():
        # The tokens are the only number.
        value = value.decode() if isinstance(value, bytes) else value
        item[name.removeprefix("items/")] = int(value) if name.endswith("tokens") else str(value)
    leaves.append(json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
found = root(leaves).hex()
if found != wanted:
    sys.exit(f"the root over {len(leaves)} loaded records is {found}, not {wanted}")
document = json.load(open(folder + "/manifest.json"))
for name in ("prov:wasAttributedTo", "prov:wasGeneratedBy", "license"):
    if not document.get(name):
        sys.exit(f"the manifest has no {name}")
print(f"{len(leaves)} records, {dataset.metadata.conforms_to or dataset.metadata.ctx.conforms_to}")
