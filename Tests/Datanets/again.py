"""A house that was cloned, and whose rows were dropped and made again: published anew, each Datanet has the root that it had.

    python again.py URL FOLDER
"""

import pathlib
import pickle
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rest import House, Person, wait

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
kept = pickle.loads((FOLDER / "kept").read_bytes())
house = House(URL)
owner = Person.__new__(Person)
raw, owner.did, owner.principal = kept["people"]["owner"]
owner.key = Ed25519PrivateKey.from_private_bytes(raw)
owner.sign_in(house)
for one in kept["datanets"]:
    last = one.get("last", one["snapshot"])
    wait(f"the rows of {one['name']}", lambda: True if owner.call("GET", f"/v1/datanets/{one['datanet']}")["items"] == last["items"] else None)
    rows = owner.all(f"/v1/datanets/{one['datanet']}/snapshots")
    if rows[0]["root"] != last["root"] or rows[-1]["root"] != one["snapshot"]["root"]:
        sys.exit(f"{one['name']}: the rows of its snapshots are other ones: {rows}")
    published = owner.call("POST", f"/v1/datanets/{one['datanet']}/snapshots", {})
    if (published["root"], published["list"]) != (last["root"], last["list"]):
        sys.exit(f"{one['name']}: published again it has the root {published['root']}, and had {last['root']}")
    print(f"  {one['name']}: {published['root'][7:23]}… again, over {published['items']} items")
