"""The contributor with the most rows of the first Datanet claims the account that the community's contribution gave them, and has
everything erased. The content is unreadable by every way that led to it, and the next version goes without it.

    python erase.py URL FOLDER
"""

import json
import pathlib
import pickle
import sys
import unicodedata
from collections import Counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from planting import screened
from rest import House, Person, Refused, wait

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
kept = pickle.loads((FOLDER / "kept").read_bytes())
house = House(URL)


def again(name):
    person = Person.__new__(Person)
    raw, person.did, person.principal = kept["people"][name]
    person.key = Ed25519PrivateKey.from_private_bytes(raw)
    person.sign_in(house)
    return person


def refused(status, what, body):
    try:
        body()
    except Refused as error:
        if error.status == status:
            return
        sys.exit(f"{what}: {error}")
    sys.exit(f"{what} is not refused")


def refuse(person, method, path, status, body=None):
    refused(status, f"{method} {path}", lambda: person.call(method, path, body))


owner, community = again("owner"), again("community")
first = kept["datanets"][0]
datanet, snapshot, contribution = first["datanet"], first["snapshot"], first["contribution"]
name, _ = Counter(row["contributor"] for row in first["rows"]).most_common(1)[0]
places = [place for place, row in enumerate(first["rows"]) if row["contributor"] == name]
items = [first["items"][place] for place in places]
admitted = [item for item in items if item["verdict"] == "accepted"]
others = [item for item in first["items"] if item["owner"] != items[0]["owner"] and item["verdict"] == "accepted"]
author = items[0]["owner"]
word = max((part for part in screened(first["rows"][places[items.index(admitted[0])]]).split() if part.isalpha()), key=len)

claimant, stranger = Person(house), Person(house)
refused(404, "a name that nobody has", lambda: claimant.call("POST", "/v1/contributors/claims", {"name": "Nobody of that name"}))
claim = claimant.call("POST", "/v1/contributors/claims", {"name": name.upper()})
if claim["author"] != author or claim["state"] != "open":
    sys.exit(f"the claim of {name} is {claim}")
refuse(claimant, "POST", f"/v1/contributors/{author}/erasure", 403)
refuse(claimant, "POST", f"/v1/contributors/claims/{claim['claim']}/confirmation", 403, {"proof": "mail"})
refuse(stranger, "POST", f"/v1/contributors/claims/{claim['claim']}/confirmation", 403, {"proof": "mail"})
if [one["claim"] for one in owner.call("GET", "/v1/contributors/claims")["items"]] != [claim["claim"]]:
    sys.exit("the claim does not wait for the Datanet's owner")
granted = owner.call("POST", f"/v1/contributors/claims/{claim['claim']}/confirmation", {"proof": "mail"})
if granted["state"] != "granted":
    sys.exit(f"the confirmed claim is {granted}")
refused(409, "a second claim of the same author", lambda: stranger.call("POST", "/v1/contributors/claims", {"name": name}))
own = [item["item"] for item in claimant.all(f"/v1/contributors/{author}/items")]
if own != [item["item"] for item in items]:
    sys.exit(f"the author has {len(items)} items and sees {len(own)}")

content = f"/v1/contributions/{contribution}/items/{admitted[0]['item']}/content"
if screened(claimant.call("GET", content)) != unicodedata.normalize("NFC", screened(first["rows"][places[items.index(admitted[0])]])):
    sys.exit("the author reads another content")
export = f"/v1/datanets/{datanet}/snapshots/{snapshot['number']}/items?purpose=read"


def lines():
    return {one["item"]: one for one in map(json.loads, house.send("GET", export, owner.token).splitlines())}


before = lines()
if any("content" not in before[item["item"]] or before[item["item"]].get("withdrawn") for item in admitted):
    sys.exit("an admitted item is not handed out")

receipt = claimant.call("POST", f"/v1/contributors/{author}/erasure")
if receipt["document"]["method"] != "key-destroyed" or receipt["document"]["owner"] != author:
    sys.exit(f"the receipt is {receipt}")
for item in items[:20]:
    for person in (claimant, community):
        refuse(person, "GET", f"/v1/contributions/{contribution}/items/{item['item']}/content", 410)
if community.call("GET", f"/v1/contributions/{contribution}/items/{others[0]['item']}/content")["origin"]["row"] < 1:
    sys.exit("somebody else's content is gone")
gone = {item["item"] for item in admitted}
wait("the snapshot to list what it holds of it", lambda: True if owner.call(
    "GET", f"/v1/snapshots/{snapshot['snapshot']}/withdrawn")["count"] == len(gone) else None)
after = lines()
if any(after[one].get("content") is not None or not after[one]["withdrawn"] for one in gone) or set(after) != set(before):
    sys.exit("an export hands out what was erased")
wait("the search to forget it", lambda: True if not gone & {
    one["item"] for one in owner.call("GET", f"/v1/datanets/{datanet}/search?limit=100&q={word}")["items"]} else None)
if (list_now := json.loads(house.send("GET", f"/v1/snapshots/{snapshot['snapshot']}/list"))) != json.loads((FOLDER / first["name"] / "list").read_bytes()):
    sys.exit("the old list changed")
if list_now and house.call("GET", f"/v1/snapshots/{snapshot['snapshot']}/proofs/{admitted[0]['item']}")["root"] != snapshot["root"]:
    sys.exit("the old proof changed")
following = owner.call("POST", f"/v1/datanets/{datanet}/snapshots", {})
if following["items"] != snapshot["items"] - len(gone) or following["root"] == snapshot["root"]:
    sys.exit(f"the next version has {following['items']} items, not {snapshot['items'] - len(gone)}")
first["last"] = following
(FOLDER / "kept").write_bytes(pickle.dumps(kept))
print(f"  {name}: claimed {author}, erased {len(items)} items; contents, exports and search are without them, old proofs hold")
