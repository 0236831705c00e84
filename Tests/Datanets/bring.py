"""Makes a Datanet of each file of real rows through REST alone, brings a second contribution with planted faults, and says what of
them was found. Publishes a snapshot of each and keeps what the later steps need in FOLDER.

    python bring.py URL DATANETS FOLDER ROWS      ROWS of each file, 0 for all
"""

import hashlib
import json
import pathlib
import pickle
import sys
import time
import unicodedata

from planting import Neighbours, Tally, folded, plant, screened, shingles
from rest import House, Person, Refused, canonical, wait

URL, DATANETS, FOLDER, ROWS = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
POLICY = {
    "access": "open", "licences": ["CC-BY-4.0", "CC0-1.0", "Apache-2.0"], "treasury_points": 1000, "curator_points": 0,
    "contributor_points": 9000, "admission": "automatic", "minimum_quality": 100, "panel": 0, "quorum": 0, "voting": "role"}
# What screening must reach on planted faults: recall, precision.
BOUNDS = {"duplicate.exact": (1.0, 1.0), "duplicate.near": (0.97, 0.97), "secrets": (1.0, 0.9), "licence.conflict": (1.0, 1.0)}

tally = Tally()
wrong = []


def look(rows, items, neighbours, seen, licences):
    """Compares verdicts with what there was to find."""
    for (row, kind, wanted), item in zip(rows, items):
        reasons = set(item["reasons"])
        secrets = {one for one in reasons if one.startswith(("secret.", "personal."))}
        tally.add("secrets", kind == "secret", wanted in reasons if kind == "secret" else secrets)
        if secrets and kind != "secret":
            wrong.append((sorted(secrets), screened(row)[:120]))
        tally.add("licence.conflict", row["license"] not in licences, "licence.conflict" in reasons)
        text = unicodedata.normalize("NFC", screened(row))
        # What is refused for something else has no copies, and is none.
        if reasons - {"duplicate.exact", "duplicate.near", "encoding.normalised", "language.unknown"}:
            continue
        same = folded(text)
        tally.add("duplicate.exact", same in seen, "duplicate.exact" in reasons)
        if same in seen:
            continue
        seen.add(same)
        found = shingles(text)
        # A text beyond the sketch's 2,048 runs is compared by a sample, which a bound at one figure cannot judge.
        if len(found) < 2048:
            tally.add("duplicate.near", neighbours.nearest(found) >= 0.8, "duplicate.near" in reasons)
        neighbours.add(found)


house = House(URL)
owner, community, second = Person(house), Person(house, "organisation"), Person(house)
kept = []
begun = time.time()
for file in sorted(DATANETS.glob("*.jsonl")):
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = rows[:ROWS] if ROWS else rows
    share = len(rows) * 4 // 5
    brought, fresh = rows[:share], rows[share:]
    datanet = owner.call("POST", "/v1/datanets", {"domain": file.stem.split("-")[0], "media": "text", "policy": POLICY})["datanet"]
    contribution, items = community.contribute(datanet, brought, "on-behalf")

    # Contributors as the file names them: an account for each, and no other.
    names = {unicodedata.normalize("NFC", row["contributor"]).lower() for row in brought}
    accounts = {}
    for row, item in zip(brought, items):
        accounts.setdefault(unicodedata.normalize("NFC", row["contributor"]).lower(), set()).add(item["owner"])
    if any(len(found) != 1 for found in accounts.values()) or len(set.union(*accounts.values())) != len(names):
        sys.exit(f"{file.name}: {len(names)} contributors have {len(set.union(*accounts.values()))} accounts")

    planted = plant(fresh, brought, file.name)
    licences = set(POLICY["licences"])
    neighbours, seen = Neighbours(), set()
    look([(row, "", None) for row in brought], items, neighbours, seen, licences)
    faulty, verdicts = second.contribute(datanet, [row for row, _, _ in planted])
    look(planted, verdicts, neighbours, seen, licences)

    accepted = sum(item["verdict"] == "accepted" and item["quality"] >= 100 for item in items + verdicts)
    wait(f"{accepted} items of {file.name}", lambda: owner.call("GET", f"/v1/datanets/{datanet}")["items"] == accepted or None)
    snapshot = owner.call("POST", f"/v1/datanets/{datanet}/snapshots", {})
    place = FOLDER / file.stem
    place.mkdir(exist_ok=True)
    for name in ("manifest", "list"):
        data = house.send("GET", f"/v1/snapshots/{snapshot['snapshot']}/{name}")
        if "sha256:" + hashlib.sha256(data).hexdigest() != snapshot[name]:
            sys.exit(f"{file.name}: the snapshot's {name} is not what its hash says")
        (place / ("manifest.json" if name == "manifest" else name)).write_bytes(data)
    (place / "root").write_text(snapshot["root"].removeprefix("sha256:"))

    # One item's proof, by RFC 6962 (2.1.1 as RFC 9162 2.1.3.2 verifies it).
    some = json.loads((place / "list").read_bytes())[len(items) // 3]
    proof = house.call("GET", f"/v1/snapshots/{snapshot['snapshot']}/proofs/{some['item']}")
    node, index, last = hashlib.sha256(b"\0" + canonical(some)).digest(), proof["index"], proof["size"] - 1
    for sibling in (bytes.fromhex(one.removeprefix("sha256:")) for one in proof["hashes"]):
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    if "sha256:" + node.hex() != snapshot["root"]:
        sys.exit(f"{file.name}: the proof of {some['item']} does not lead to the root")

    kept.append({"name": file.stem, "datanet": datanet, "snapshot": snapshot, "contribution": contribution, "rows": brought, "items": items})
    print(f"  {file.stem}: {len(rows)} rows of {len(names)} contributors, {accepted} admitted, root {snapshot['root'][7:23]}…")

print(f"  in {time.time() - begun:.0f} s. Found of what there was (recall) and right of what was found (precision):")
for kind, (recall, precision) in BOUNDS.items():
    counts = tally.counts[kind]
    print(f"    {kind:17} recall {tally.recall(kind):.4f}, precision {tally.precision(kind):.4f}  {dict(counts)}")
    if counts["hit"] == 0 or tally.recall(kind) < recall or tally.precision(kind) < precision:
        sys.exit(f"{kind}: recall has to be {recall} and precision {precision} at least; {wrong[:5]}")
try:
    house.call("GET", f"/v1/datanets/{kept[0]['datanet']}/snapshots/1/items?purpose=read", second.token)
    sys.exit("content is handed out without a grant")
except Refused as refused:
    if refused.status != 403:
        raise
people = {name: (person.key.private_bytes_raw(), person.did, person.principal) for name, person in [("owner", owner), ("community", community)]}
(FOLDER / "kept").write_bytes(pickle.dumps({"datanets": kept, "people": people}))
