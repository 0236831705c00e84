#!/usr/bin/env python3
"""Makes receipts that hold, and receipts that were tampered with, out of small logs that are signed here.

    python3 make_receipts.py FOLDER

Writes FOLDER/key, and for each receipt FOLDER/NAME.json and FOLDER/NAME.word: `holds`, or the word of the fault that a verifier must name
(docs/receipts.md). Some alterations are made before the log is signed: the log then is sound and says what does not belong together.
"""

import base64
import functools
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "docs", "verify"))
import receipt as reader  # noqa: E402
import verify as log  # noqa: E402

ORIGIN = "receipts.example/log"
SEED = hashlib.sha256(b"a key for tests").digest()
START = 1_790_000_000


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data):
    return base64.b64encode(data).decode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:split]), root(leaves[split:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path(index, leaves[:split]) + [root(leaves[split:])]
    return path(index - split, leaves[split:]) + [root(leaves[:split])]


def packed(point):
    z = pow(point[2], log.P - 2, log.P)
    x, y = point[0] * z % log.P, point[1] * z % log.P
    return (y | (x & 1) << 255).to_bytes(32, "little")


class Signer:
    def __init__(self, name):
        self.name, wide = name, hashlib.sha512(SEED + name.encode()).digest()
        self.scalar = int.from_bytes(wide[:32], "little") & ((1 << 254) - 8) | 1 << 254
        self.prefix, self.public = wide[32:], packed(log.times(self.scalar, log.BASE))
        self.id = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(bytes([1]) + self.public)}"

    def cosign(self, note):
        """Adds a line as a witness does: its own kind of key, and the time."""
        text = note.rpartition("\n\n")[0] + "\n"
        signature = self.raw(f"cosignature/v1\ntime {START}\n{text}")
        return f"{note}\u2014 {self.name} {b64(self.witness_id + START.to_bytes(8, 'big') + signature)}\n"

    @property
    def witness_id(self):
        return hashlib.sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]

    @property
    def witness(self):
        return f"{self.name}+{self.witness_id.hex()}+{b64(bytes([4]) + self.public)}"

    def raw(self, text):
        r = int.from_bytes(hashlib.sha512(self.prefix + text.encode()).digest(), "little") % log.ORDER
        point = packed(log.times(r, log.BASE))
        h = int.from_bytes(hashlib.sha512(point + self.public + text.encode()).digest(), "little") % log.ORDER
        return point + ((r + h * self.scalar) % log.ORDER).to_bytes(32, "little")

    def sign(self, text):
        signature = self.raw(text)
        return f"{text}\n\u2014 {self.name} {b64(self.id + signature)}\n"


def did_key(public):
    number, text = int.from_bytes(b"\xed\x01" + public, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return "did:key:z" + text


@functools.cache
def brought(datanet, owner):
    """Who signs a contribution, and the signature."""
    signer = Signer("contributor " + owner)
    text = "\n".join(["openledger/contribution", datanet, owner, "own", "", digest(b"m")])
    return {"signer": did_key(signer.public), "signature": base64.urlsafe_b64encode(signer.raw(text)).decode().rstrip("=")}


def moment(second):
    import datetime
    return datetime.datetime.fromtimestamp(START + second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def money(units):
    return {"asset": "USDC/6", "amount": str(units)}


def posting(account, units):
    return {"account": account, "amount": money(units)}


def postings(**moves):
    return {"entries": [posting(account, units) for account, units in sorted(moves.items()) if units]}


class World:
    """A log of a whole way. `edits` change an event's data before it is written, by the name under which it is appended."""

    def __init__(self, edits=None, **options):
        self.edits, self.events, self.places, self.ids, self.files = edits or {}, [], {}, {}, []
        self.payee = options.get("payee", "contributor:ann")
        self.kind = options.get("kind", "inference")
        self.fee = options.get("fee", 100_003)
        self.shares = options.get("shares", [("ann", "dn_1", 600_000_001), ("bob", "dn_1", 199_999_999), ("ann", "dn_2", 200_000_000)])
        self.rules = options.get("rules")
        self.statement = options.get("statement", True)
        self.list_limit = options.get("list_limit", 200)
        self.parts, self.newest = [], {}
        # What changes the first settlement: units that flow back, and lists of other shares, as they follow each other.
        self.changes = options.get("changes", options.get("returns", []))
        self.late = options.get("late")
        # Whether the first snapshot's event is one that came after the training.
        self.again = options.get("again")
        # The edition of the settlement's rules, by how many seconds log time was ahead of it, and rules that were set after its basis.
        self.edition, self.ahead, self.late_rules = options.get("edition", 3 if self.kind == "task" else 2), options.get("ahead", 7), options.get("late_rules")
        # What a task pays, where that is more than could be had; and whether its Datanets' snapshots say whose work they are.
        self.pays, self.says = options.get("pays", self.fee), options.get("says", self.kind == "task")
        self.write(options.get("settlements", 1), options.get("until", "paid"), options.get("wallet"))

    def add(self, name, type, data, cause=None):
        if name in self.edits:
            data = self.edits[name](json.loads(json.dumps(data)), self) or data
        ordinal, cause_id = 0, cause or "command-" + name
        text = f"openledger/event\n{cause_id}\n{type}\n{ordinal}".encode()
        raw = bytearray(hashlib.sha256(text).digest()[:16])
        raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
        h = raw.hex()
        id = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
        data = {key: value for key, value in data.items() if value is not None}
        event = {"actor": "tester", "cause": {"event": cause} if cause else {"command": cause_id, "digest": digest(b"c")},
                 "correlation": "trace", "data": data, "id": id, "stream": "test/" + name, "time": moment(len(self.events)), "type": type, "v": 1}
        self.places[name], self.ids[name] = len(self.events), id
        self.events.append(canonical(event))
        return data

    def listed(self, entries):
        if len(entries) <= self.list_limit:
            return {"entries": entries}
        file = canonical(entries)
        self.files.append(file)
        return {"evidence": digest(file), "count": len(entries)}

    def datanet(self, id, owner):
        policy = {"access": "open", "licences": ["CC0-1.0"], "treasury_points": 5000, "curator_points": 2000, "contributor_points": 3000,
                  "admission": "automatic", "minimum_quality": 0, "panel": 3, "quorum": 2, "voting": "role"}
        self.add("created-" + id, "datanet.created", {"datanet": id, "owner": owner, "domain": "finance", "media": "text", "policy": policy})

    def items(self, id, owners):
        found = []
        for number, owner in enumerate(owners):
            contribution, item = f"ct_{id}_{owner}", f"it_{id}_{number}"
            commitment = digest(item.encode())
            self.add("submitted-" + item, "contribution.submitted",
                     {"contribution": contribution, "datanet": id, "contributor": owner, "kind": "own", "manifest": digest(b"m"),
                      **brought(id, owner), "items": 1, "bytes": 100})
            self.add("screened-" + item, "contribution.screened",
                     {"contribution": contribution, "datanet": id, "contributor": owner, "rules": "screening/1", "accepted": 1, "rejected": 0,
                      "items": {"entries": [{"item": item, "commitment": commitment, "owner": owner, "licence": "CC0-1.0", "language": "en",
                                             "tokens": 20, "bytes": 100, "quality": 900, "verdict": "accepted", "reasons": [], "cluster": item}]}})
            admitted = {"item": item, "contribution": contribution, "owner": owner, "commitment": commitment, "tokens": 20,
                        "licence": "CC0-1.0", "language": "en", "cluster": item}
            self.add("admitted-" + item, "admission.granted", {"datanet": id, "contribution": contribution, "items": {"entries": [admitted]}})
            found.append(admitted)
        found.sort(key=lambda item: (item["commitment"], item["item"].encode()))
        leaves = [hashlib.sha256(b"\x00" + canonical(item)).digest() for item in found]
        names = sorted(set(owners), key=str.encode)
        parts = reader.divide(10**9, [owners.count(owner) for owner in names])
        self.newest[id] = [{"owner": owner, "datanet": id, "share": share} for owner, share in zip(names, parts)] if self.says else []
        published = self.add("snapshot-" + id, "snapshot.published",
                             {"datanet": id, "snapshot": "sn_" + id, "number": 1, "root": "sha256:" + root(leaves).hex(), "manifest": digest(b"x"),
                              "items": len(found), "tokens": 20 * len(found), "owners": len(set(owners)), "list": digest(canonical(found)),
                              "shares": self.listed(self.newest[id]) if self.says else None})
        return found, leaves, {key: published[key] for key in ("datanet", "snapshot", "number", "root")}

    def write(self, settlements, until, wallet):
        given = [share for change in self.changes if isinstance(change, list) for share in change]
        people = sorted({owner for owner, _, _ in self.shares + given}) or ["ann"]
        self.datanet("dn_1", "olga")
        self.datanet("dn_2", "otto")
        for name, datanet, who, role, kind in [
                ("curator", "dn_1", "cora", "curator", "granted"), ("gone", "dn_1", "carl", "curator", "granted"),
                ("went", "dn_1", "carl", "curator", "revoked"), ("validator", "dn_1", "vera", "validator", "granted"),
                ("reader", "dn_2", "rita", "consumer", "granted")]:
            self.add(name, "member." + kind, {"datanet": datanet, "principal": who, "role": role})
        first, second = self.items("dn_1", people[:6] + ["ann"]), self.items("dn_2", ["ann", "zoe"])
        self.lists = {"dn_1": first, "dn_2": second}
        snapshots = [first[2], second[2]]
        self.add("base", "base-model.registered", {"model": "base", "owner": "house", "artefact": digest(b"b"), "licence": "Apache-2.0", "parameters": 9})
        shares = self.listed([{"owner": owner, "datanet": datanet, "share": share} for owner, datanet, share in self.shares])
        if self.rules:
            self.add("rules", "settlement.rules-set", self.rules)
        self.job = self.add("job", "job.completed",
                            {"job": "job_1", "owner": "acme", "base": "base", "snapshots": snapshots[:1], "adapter": digest(b"a"), "shares": shares,
                             "tokens": 100, "fee": money(self.fee), "runner": "runner-1", "record": digest(b"r")})
        if self.again:
            self.add("snapshot-again", "snapshot.published", json.loads(self.events[self.places["snapshot-dn_1"]])["data"])
        self.split = {"owner": 2000, "datanets": 3000, "contributors": 3000, "validators": 1000, "compute": 1000}
        self.model = self.add("model", "model.published",
                              {"model": "acme/defi", "version": 1, "owner": "acme", "base": "base", "adapter": digest(b"a"), "job": "job_1",
                               "snapshots": snapshots[:1], "retrieval": ["dn_2"], "price": {"request": money(0), "input": money(1), "output": money(1)},
                               "split": self.split,
                               "attribution": {"rules": "attribution/1", "spans": 4000, "influence": 3000, "retrieval": 3000, "threshold": 0,
                                               "cap": 10**9, "fallback": "tokens", "minimum_span": 4}})
        for number in range(settlements):
            self.settle(number, shares, snapshots, self.changes if number == 0 else [])
        self.pay(until, wallet)
        if self.late:
            entry, _ = self.correct("late", self.late, self.ids["settled-0"] and json.loads(self.events[self.parts[0]["settled"]])["data"], [], None)
            self.parts[0]["corrections"] = self.parts[0].get("corrections", []) + [entry | {"units": self.parts[0]["left"], "why": []}]

    def correct(self, name, shares, bill, postings, file):
        """A ruling, the corrected attribution, and what it moved; postings None means that it came late."""
        ruling = f"ru_{name}"
        self.add(f"ruling-{name}", "ruling.made", {"ruling": ruling, "about": "dispute", "subject": "ds_0", "upheld": True,
                                                   "penalties": [{"principal": "ann", "points": 1}], "pool": "dn_1"})
        listed = self.listed([{"owner": owner, "datanet": datanet, "share": share} for owner, datanet, share in shares])
        self.add(f"corrected-{name}", "attribution.corrected", {"attribution": "at_" + bill["reference"], "ruling": ruling, "shares": listed,
                                                                "evidence": digest(file or b"e")}, cause=self.ids[f"ruling-{name}"])
        self.add(f"moved-{name}", "settlement.corrected",
                 {"id": self.ids[f"corrected-{name}"], "settlement": bill["id"], "position": self.places[f"corrected-{name}"],
                  "late": file is None, "postings": self.listed(postings)}, cause=self.ids[f"corrected-{name}"])
        return {"ruling": self.places[f"ruling-{name}"], "corrected": self.places[f"corrected-{name}"], "settled": self.places[f"moved-{name}"]}, name

    def settle(self, number, shares, snapshots, changes):
        tag, reference = f"-{number}", f"in_{number}" if self.kind == "inference" else {"training": "job_1", "access": "ac_1", "task": "tk_1#0"}[self.kind]
        answer = self.kind == "inference"
        if answer:
            self.add("inference" + tag, "inference.completed",
                     {"inference": reference, "payer": "pia", "actor": "pia", "model": "acme/defi", "version": 1, "base": "base",
                      "adapter": digest(b"a"), "prompt": digest(b"p"), "answer": digest(b"q"), "input_tokens": 10, "output_tokens": 20,
                      "fee": money(self.fee), "hold": "hd_1", "runner": "runner-1", "passages": {"entries": []}})
        if self.kind == "access":
            self.add("used", "access.used",
                     {"access": "ac_1", "datanet": "dn_1", "snapshot": snapshots[0]["snapshot"], "reader": "pia", "grant": "gr_1", "purpose": "read",
                      "items": 3, "price": money(self.fee), "hold": "hd_1", "shares": shares})
        if self.kind == "task":
            accounts = ["datanet:dn_1", "datanet:dn_2", "model-owner:acme", "payer:bot"]
            paid = [{"account": account, "amount": money(units)} for account, units in zip(accounts, reader.divide(self.pays, [4000, 1000, 2000, 3000]))]
            self.task = {"task": "tk_1", "root": "tk_1", "milestone": 0, "by": "pia", "client": "pia", "provider": "bot", "payer": "pia",
                         "amount": money(self.pays), "payouts": paid, "hold": "hd_1", "is_over": True, "frees": True, "spent": money(self.pays)}
            self.add("done", "task.completed", self.task)
        self.add("charge" + tag, "hold.captured" if number == 0 else "account.transferred",
                 {"id": "hd_1", "reference": reference, "amount": money(self.fee), "released": money(0),
                  "postings": postings(**{"payer:pia": -self.fee, "escrow:fees": self.fee})} if number == 0 else
                 {"id": "tx_1", "reason": "fee", "reference": reference, "postings": postings(**{"payer:pia": -self.fee, "escrow:fees": self.fee})})
        if answer:
            named = [item for item in self.lists["dn_1"][0] if item["owner"] == "ann"][:1]
            used = [item for item in self.lists["dn_2"][0] if item["owner"] == "ann"][:1]
            file = canonical({
                "attribution": "at_" + reference, "inference": reference, "model": "acme/defi", "version": 1, "missing": [], "datanets": {},
                "admitted": {}, "unverified": [], "excluded": [],
                "sources": [{"snapshot": snapshot, "retrieval": snapshot["datanet"] == "dn_2"} for snapshot in snapshots],
                "computed": {"rules": 1, "answerTokens": 9, "echoedTokens": 0,
                             "spans": [{"start": 0, "length": 8, "byteStart": 0, "byteEnd": 40, "occurrences": 1, "documents": 1, "paidTokens": 8,
                                        "earners": [{"owner": "ann", "item": item["item"]} for item in named]}],
                             "uniqueTokens": {"ann": 20},
                             "passages": [{"item": item["item"], "owner": "ann", "isCited": True, "usedTokens": 3, "credit": 5} for item in used]}})
            if self.statement:
                self.files.append(file)
            self.add("basis" + tag, "attribution.computed",
                     {"attribution": "at_" + reference, "inference": reference, "model": "acme/defi", "version": 1, "rules": "attribution/1",
                      "methods": [{"method": "spans", "weight": 10**9, "confidence": 9 * 10**8}], "fallback": False, "shares": shares,
                      "evidence": digest(file)})
        basis = "basis" + tag if answer else {"training": "job", "access": "used", "task": "done"}[self.kind]
        if self.late_rules:
            self.rules = self.late_rules
            self.add("rules", "settlement.rules-set", self.rules)
        rules = self.rules or reader.STANDARD
        terms = {}
        counted = [{"owner": o, "datanet": d, "share": s} for o, d, s in self.shares if s]
        if self.kind == "task":
            counted = [share for id in ("dn_1", "dn_2") for share in self.newest[id]] if self.edition > 2 else []
        ever = counted + [{"owner": o, "datanet": d, "share": s} for change in changes if isinstance(change, list) for o, d, s in change if s]
        for id in {"dn_1", "dn_2"} if self.kind == "task" and self.edition > 2 else {share["datanet"] for share in ever}:
            policy = json.loads(self.events[self.places["created-" + id]])["data"]["policy"]
            terms[id] = (policy, {"cora"} if id == "dn_1" else set(), {"vera"} if id == "dn_1" else set())

        def divided(whole, shares):
            ways, sums = [], {}
            if self.kind == "task":
                reader.walk(whole, reader.work(self.task, self.edition, shares, terms), [], ways)
                for account, steps in ways:
                    sums["pending:" + account] = sums.get("pending:" + account, 0) + int(steps[-1]["units"])
                return sums, [steps for account, steps in ways if account == self.payee]
            split = {"inference": self.split, "training": rules["training"], "access": {**dict.fromkeys(self.split, 0), "datanets": 10_000}}[self.kind]
            names = ("pia", "pia") if self.kind == "access" else ("acme", "runner-1")
            reader.walk(whole, reader.tree(rules, split, *names, shares, terms), [], ways)
            for account, steps in ways:
                sums["pending:" + account] = sums.get("pending:" + account, 0) + int(steps[-1]["units"])
            return sums, [steps for account, steps in ways if account == self.payee]

        sums, why = divided(self.fee, counted)
        entries = [posting(account, units) for account, units in sorted({**sums, "escrow:fees": -self.fee}.items())]
        bill = self.add("settled" + tag, "settlement.posted",
                 {"id": self.ids[basis], "kind": self.kind, "reference": reference, "payer": "payer:pia", "fee": money(self.fee),
                  "position": self.places[basis], "release_at": moment(self.places[basis] + rules["holdback_seconds"] + (self.ahead if self.edition > 1 else 0)),
                  "edition": self.edition if self.edition > 1 else None,
                  "postings": self.listed(entries)}, cause=self.ids[basis])
        units, left = sums.get("pending:" + self.payee, 0), [[e["account"], int(e["amount"]["amount"])] for e in entries if e["account"] != "escrow:fees"]
        back, corrections = [], []
        for index, amount in enumerate(changes):
            if isinstance(amount, list):
                had = dict(map(tuple, left))
                after, ways = divided(sum(had.values()), [{"owner": o, "datanet": d, "share": s} for o, d, s in amount if s])
                moved = [posting(account, after.get(account, 0) - had.get(account, 0)) for account in sorted({*after, *had})
                         if after.get(account, 0) != had.get(account, 0)]
                statement = canonical(json.loads(file) | {"excluded": [f"somebody-{index}"]}) if answer else b"{}"
                if self.statement:
                    self.files.append(statement)
                entry, _ = self.correct(str(index), amount, bill, moved, statement)
                left = [[account, has] for account, has in sorted(after.items())]
                corrections.append(entry | {"units": str(after.get("pending:" + self.payee, 0)), "why": ways})
                continue
            moves = {"payer:pia": amount}
            for pair, part in zip(left, reader.divide(amount, [has for _, has in left])):
                moves[pair[0]] = -part
                pair[1] -= part
            self.add(f"return-{index}", "refund.posted", {"settlement": self.ids[basis], "amount": money(amount), "reason": "late",
                                                          "postings": self.listed([posting(a, u) for a, u in sorted(moves.items()) if u])})
            back.append(self.places[f"return-{index}"])
        part = {"settled": self.places["settled" + tag], "basis": self.places[basis], "charges": [self.places["charge" + tag]],
                "datanets": [{"policy": self.places["created-" + id],
                              "members": [self.places[name] for name in ("curator", "gone", "went", "validator")] if id == "dn_1" else [],
                              **({"snapshot": self.places["snapshot-" + id]} if self.kind == "task" and self.says else {})}
                             for id in sorted(terms)],
                "sources": self.sources(ever, answer), "units": str(units), "why": why,
                "returns": back, "left": str(dict(map(tuple, left)).get("pending:" + self.payee, 0)), "releases": [], "state": "held-back",
                **({} if self.kind in ("access", "task") else {"base": self.places["base"]})}
        if answer:
            part.update(inference=self.places["inference" + tag], model=self.places["model"], training=self.places["job"])
        if self.rules:
            part["rules"] = self.places["rules"]
        if corrections:
            part["corrections"] = corrections
        self.parts.append(part)

    def sources(self, shares, answer):
        found = []
        if self.kind == "task" and self.payee.startswith(("payer:", "model-owner:")):
            return found
        for share in {(share["owner"], share["datanet"]): share for share in shares}.values():
            if self.payee.startswith("contributor:") and self.payee != "contributor:" + share["owner"]:
                continue
            items, leaves, _ = self.lists[share["datanet"]]
            index = next((i for i, item in enumerate(items) if item["owner"] == share["owner"]), None)
            if index is None or len(found) >= 4:
                continue
            item = items[index]
            named = "owner" if not answer or not self.statement or share["owner"] != "ann" else "spans" if share["datanet"] == "dn_1" else "passages"
            if share["datanet"] == "dn_2" and (not answer or not self.statement):
                continue
            found.append({"item": item, "index": index, "proof": [b64(h) for h in path(index, leaves)], "named": named,
                          "contribution": self.places["submitted-" + item["item"]], "screening": self.places["screened-" + item["item"]],
                          "admission": self.places["admitted-" + item["item"]], "snapshot": self.places["snapshot-again" if self.again and share["datanet"] == "dn_1" else "snapshot-" + share["datanet"]]})
        return found

    def pay(self, until, wallet):
        self.payouts = []
        if until == "held-back":
            return
        ids = [json.loads(self.events[part["settled"]])["data"]["id"] for part in self.parts]
        due = sum(int(part["left"]) for part in self.parts)
        if until in ("returned", "corrected"):
            self.parts[0]["state"] = until
            return
        if until == "disputed":
            self.add("dispute", "dispute.opened", {"id": "ds_1", "settlement": ids[0], "account": "payer:pia", "bond": money(5), "reason": "wrong",
                                                   "evidence": digest(b"e"), "postings": postings(**{"payer:pia": -5, "escrow:disputes": 5})})
            self.parts[0].update(disputed=self.places["dispute"], state="disputed")
            return
        names = ["released"]
        late = until in ("waiting", "credited-late")
        moved = postings(**{"pending:" + self.payee: -due, self.payee: due})
        self.add("released", "settlement.released", {"settlements": ids, "postings": {"entries": []} if late else moved})
        if until == "credited-late":
            self.add("credited", "settlement.released", {"settlements": [], "postings": moved})
            names.append("credited")
        for part in self.parts:
            part.update(releases=[self.places[name] for name in names], state="waiting" if until == "waiting" else "credited")
            if until != "waiting":
                part["balance"] = str(due + 40)
        if until not in ("paid", "on-its-way"):
            return
        if wallet:
            owner = self.payee.split(":", 1)[1]
            address = "0x" + "ab" * 20
            self.add("wallet", "account.wallet-set",
                     {"owner": owner, "address": address, "sequence": 0, "key": "did:key:z6Mk", "signer": "did:key:z6Mk", "signature": "AA",
                      "recovered": False})
            self.add("epoch", "payout.epoch-closed",
                     {"epoch": 3, "asset": "USDC/6", "root": "0x" + "00" * 32, "wallets": 1, "cumulative": money(due + 40),
                      "liabilities_root": digest(b"l"), "liabilities": money(due + 40), "accounts": 1,
                      "postings": postings(**{self.payee: -due - 40, "payout:evm": due + 40})})
            self.add("claim", "payout.claimed", {"asset": "USDC/6", "epoch": 4, "address": address, "cumulative": money(due + 40),
                                                 "transaction": "0x1", "postings": postings(**{"payout:evm": -due - 40, "external:evm": due + 40})})
            self.payouts = [{"epoch": self.places["epoch"], "wallet": self.places["wallet"], "claim": self.places["claim"]}]
        else:
            for index, units in enumerate([50, due - 10]):
                self.add(f"request-{index}", "payout.requested",
                         {"id": f"po_{index}", "account": self.payee, "amount": money(units), "rail": "sandbox", "destination": digest(b"d"),
                          "postings": postings(**{self.payee: -units, "payout:sandbox": units})})
                entry = {"request": self.places[f"request-{index}"]}
                if until == "paid" or index == 0:
                    self.add(f"finish-{index}", "payout.finished",
                             {"id": f"po_{index}", "paid": True, "reference": "r", "postings": postings(**{"payout:sandbox": -units, "external:sandbox": units})})
                    entry["finish"] = self.places[f"finish-{index}"]
                self.payouts.append(entry)
        for part in self.parts:
            part["state"] = until

    def receipt(self, signer, subject=None):
        note = f"{ORIGIN}\n{len(self.events) + 3}\n"
        leaves = [hashlib.sha256(b"\x00" + event).digest() for event in self.events + [b"{}", b"{}", b"{}"]]
        note = signer.sign(note + b64(root(leaves)) + "\n")
        named = set()
        for part in self.parts:
            for name in ("settled", "basis", "inference", "model", "training", "base", "rules", "disputed"):
                named |= {part[name]} if name in part else set()
            named |= {*part["charges"], *part["returns"], *part["releases"]}
            for entry in part.get("corrections", []):
                named |= {entry["ruling"], entry["corrected"], entry["settled"]}
            for entry in part["datanets"]:
                named |= {entry["policy"], *entry["members"], *([entry["snapshot"]] if "snapshot" in entry else [])}
            for source in part["sources"]:
                named |= {source[name] for name in ("contribution", "screening", "admission", "snapshot")}
        for entry in self.payouts:
            named |= set(entry.values())
        return {"type": "openledger/receipt/v1", "subject": subject or json.loads(self.events[self.parts[0]["settled"]])["data"]["id"],
                "payee": self.payee, "amount": money(sum(int(part["left"]) for part in self.parts)), "checkpoint": note,
                "events": [{"position": place, "event": b64(self.events[place]), "proof": [b64(h) for h in path(place, leaves)]}
                           for place in sorted(named)],
                "evidence": [b64(file) for file in dict.fromkeys(self.files)], "settlements": self.parts, "payouts": self.payouts}


MANY = [(f"o{index:03}", "dn_1", 10**9 // 250) for index in range(250)]
RULES = {"platform_points": 250, "platform": "platform:acme", "holdback_seconds": 60, "dispute_bond": 5, "unbond_seconds": 5, "dust": 1,
         "training": {"owner": 0, "datanets": 3333, "contributors": 3333, "validators": 3333, "compute": 1}}
AGENT = {"kind": "task", "payee": "payer:bot", "until": "held-back"}
TO_BOB = [("bob", "dn_1", 10**9)]
WITHOUT_ANN = [("bob", "dn_1", 600_000_000), ("zoe", "dn_2", 400_000_000)]
MANY_BUT_ONE = [(f"o{index:03}", "dn_1", 10**9 // 200) for index in range(50, 250)] + [("zoe", "dn_2", 0)]
BOB = {"payee": "contributor:bob", "changes": [30_000, WITHOUT_ANN, 1_234, TO_BOB]}
GOOD = {
    "corrected-changed": BOB, "corrected-added": {"payee": "contributor:zoe", "changes": [WITHOUT_ANN], "until": "credited"},
    "corrected-away": {"changes": [5_000, TO_BOB], "until": "corrected"}, "corrected-twice": {"changes": [TO_BOB, [("ann", "dn_2", 10**9)]], "until": "paid"},
    "corrected-other": {"payee": "curator:cora", "changes": [[("zoe", "dn_2", 10**9)], WITHOUT_ANN, 11], "until": "on-its-way"},
    "corrected-to-nobody": {"payee": "model-owner:acme", "changes": [[]], "until": "waiting"},
    "corrected-late": {"payee": "contributor:bob", "changes": [WITHOUT_ANN], "late": [("ann", "dn_1", 10**9)], "until": "credited"},
    "corrected-many": {"shares": MANY, "payee": "contributor:o249", "changes": [MANY_BUT_ONE, 777], "until": "held-back"},
    "corrected-rules": {"rules": RULES, **BOB}, "corrected-returned": {"changes": [TO_BOB, [("ann", "dn_2", 10**9)], 100_003], "until": "returned"},
    "corrected-none-named": {"payee": "contributor:zoe", "changes": [WITHOUT_ANN], "statement": False},
    "paid": {}, "curator": {"payee": "curator:cora", "until": "held-back"}, "validator": {"payee": "validator:vera", "until": "credited"},
    "treasury": {"payee": "datanet:dn_2", "until": "on-its-way"}, "platform": {"payee": "platform:house", "until": "credited"},
    "runner": {"payee": "compute:runner-1", "fee": 7, "shares": [], "until": "credited"},
    "owner-alone": {"payee": "model-owner:acme", "shares": [], "until": "waiting"}, "disputed": {"until": "disputed"},
    "late": {"until": "credited-late"}, "training": {"kind": "training", "until": "credited", "returns": [12_345, 7]},
    "access": {"kind": "access", "until": "paid"}, "access-refunded": {"kind": "access", "until": "credited", "returns": [12_345, 7]},
    "access-curator": {"kind": "access", "payee": "curator:cora", "until": "held-back"},
    "refunded": {"returns": [1, 30_000], "until": "paid"}, "returned": {"returns": [40_000, 60_003], "until": "returned"},
    "wallet": {"wallet": True}, "two": {"settlements": 2}, "rules": {"rules": RULES}, "rules-training": {"rules": RULES, "kind": "training"},
    "edition-1": {"edition": 1}, "edition-1-late-rules": {"edition": 1, "late_rules": RULES, "until": "credited"}, "in-time": {"ahead": 0},
    "task": {"kind": "task"}, "task-curator": {"kind": "task", "payee": "curator:cora", "until": "credited"},
    "task-treasury": {"kind": "task", "payee": "datanet:dn_1", "until": "held-back"}, "task-model": {"kind": "task", "payee": "model-owner:acme", "until": "waiting"},
    "task-agent": {"kind": "task", "payee": "payer:bot", "until": "paid"}, "task-refunded": {"kind": "task", "until": "credited", "returns": [12_345, 7]},
    "task-in-part": {"kind": "task", "pays": 150_001, "until": "held-back"}, "task-rules": {"kind": "task", "rules": RULES, "until": "credited"},
    "task-of-older-rules": {"kind": "task", "edition": 2, "payee": "datanet:dn_1", "until": "held-back"},
    "task-without-snapshots": {"kind": "task", "says": False, "payee": "datanet:dn_1", "until": "held-back"},
    "task-many": {"kind": "task", "list_limit": 1, "until": "held-back"}, "task-large": {"kind": "task", "fee": 2**60 + 7, "until": "held-back"},
    "small": {"fee": 11, "until": "credited"}, "many": {"shares": MANY, "payee": "contributor:o003"}, "bare": {"statement": False},
}


def edit(**changes):
    """An edit that sets members of an event's data; a dot leads inwards."""
    def change(data, world):
        for name, value in changes.items():
            place = data
            *outer, last = name.split("__")
            for step in outer:
                place = place[int(step) if step.isdigit() else step]
            place[int(last) if last.isdigit() else last] = value
        return data
    return change


def part(**changes):
    return lambda r: r["settlements"][0].update(changes)


def source(**changes):
    return lambda r: r["settlements"][0]["sources"][0].update(changes)


def drop(name):
    return lambda r: r["settlements"][0].pop(name)


def forget(find):
    """Leaves the event out that the function finds the position of."""
    def change(r):
        r["events"] = [entry for entry in r["events"] if entry["position"] != find(r)]
    return change


def swap(text, other):
    def change(r):
        for entry in r["events"]:
            event = base64.b64decode(entry["event"])
            if text in event:
                entry["event"] = b64(event.replace(text, other))
                return
        raise SystemExit(f"no event has {text}")
    return change


def note(change):
    def apply(r):
        r["checkpoint"] = change(r["checkpoint"])
    return apply


def step(r):
    r["settlements"][0]["why"][0][1]["units"] = str(int(r["settlements"][0]["why"][0][1]["units"]) + 1)


def reorder(r):
    r["events"][0], r["events"][1] = r["events"][1], r["events"][0]


def item_of_bob(r):
    r["settlements"][0]["sources"][0]["item"]["owner"] = "bob"


def shift(entries, up, down):
    """One unit from one posting to another: the sums still are zero."""
    def change(data, world):
        for entry in data["postings"]["entries"]:
            amount = int(entry["amount"]["amount"])
            entry["amount"]["amount"] = str(amount + (entry["account"] == up) - (entry["account"] == down))
        return data
    return change


# name, the word, what the world is made with, edits before signing, a change of the file
BAD = [
    ("type", "format", {}, {}, lambda r: r.update(type="openledger/receipt/v2")),
    ("stranger-member", "format", {}, {}, lambda r: r.update(extra=1)),
    ("no-member", "format", {}, {}, lambda r: r.pop("payouts")),
    ("state-unknown", "format", {}, {}, part(state="gone")),
    ("units-written", "format", {}, {}, part(units="0017")),
    ("events-out-of-order", "format", {}, {}, reorder),
    ("event-twice", "format", {}, {}, lambda r: r["events"].insert(0, r["events"][0])),
    ("hash-length", "format", {}, {}, lambda r: r["events"][0]["proof"].__setitem__(0, "AAAA")),
    ("root-of-another-tree", "signature", {}, {}, note(lambda n: n.replace(n.split("\n")[2], b64(hashlib.sha256(b"x").digest())))),
    ("size", "signature", {}, {}, note(lambda n: n.replace("\n" + n.split("\n")[1] + "\n", "\n9999\n"))),
    ("signature-bit", "signature", {}, {}, note(lambda n: n[:-12] + ("A" if n[-12] != "A" else "B") + n[-11:])),
    ("unsigned", "signature", {}, {}, note(lambda n: n.split("\n\n")[0] + "\n\n")),
    ("foreign-key", "signature", {"signer": "other.example/log"}, {}, None),
    ("event-byte", "inclusion", {}, {}, swap(b'"payer":"pia"', b'"payer":"bia"')),
    ("share-in-event", "inclusion", {}, {}, swap(b'"share":600000001', b'"share":600000002')),
    ("proof-hash", "inclusion", {}, {}, lambda r: r["events"][3]["proof"].__setitem__(1, b64(bytes(32)))),
    ("proof-short", "inclusion", {}, {}, lambda r: r["events"][3]["proof"].pop()),
    ("position-moved", "inclusion", {}, {}, lambda r: r["events"][-1].update(position=r["events"][-1]["position"] + 1)),
    ("event-left-out", "event", {}, {}, forget(lambda r: r["settlements"][0]["model"])),
    ("policy-left-out", "event", {}, {}, forget(lambda r: r["settlements"][0]["datanets"][0]["policy"])),
    ("model-is-job", "event", {}, {}, lambda r: r["settlements"][0].update(model=r["settlements"][0]["training"])),
    ("postings-left-out", "evidence", {"shares": MANY, "payee": "contributor:o003"}, {}, lambda r: r.update(evidence=[])),
    ("statement-left-out", "evidence", {}, {}, lambda r: (r["settlements"][0]["sources"].pop(), r.update(evidence=[]))),
    ("basis-other", "link", {"settlements": 2}, {}, lambda r: r["settlements"][0].update(basis=r["settlements"][1]["basis"])),
    ("settlement-id", "link", {}, {"settled-0": edit(id="6f9c0000-0000-8000-8000-000000000000")}, None),
    ("settlement-reference", "link", {}, {"settled-0": edit(reference="in_9"), "charge-0": edit(reference="in_9")}, None),
    ("inference-other", "link", {"settlements": 2}, {}, lambda r: r["settlements"][0].update(inference=r["settlements"][1]["inference"])),
    ("version", "link", {}, {"inference-0": edit(version=2)}, None),
    ("adapter", "link", {}, {"model": edit(adapter=digest(b"z"))}, None),
    ("job-other", "link", {}, {"job": edit(job="job_2")}, None),
    ("training-dropped", "link", {}, {}, drop("training")),
    ("base-other", "link", {}, {"base": edit(model="other")}, None),
    ("item-altered", "item", {}, {}, item_of_bob),
    ("item-index", "item", {}, {}, source(index=2)),
    ("item-proof", "item", {}, {}, lambda r: r["settlements"][0]["sources"][0]["proof"].pop()),
    ("snapshot-root", "item", {}, {"snapshot-dn_1": edit(root=digest(b"z"))}, None),
    ("admission-other", "link", {"payee": "curator:cora"}, {}, lambda r: r["settlements"][0]["sources"][0].update(
        admission=r["settlements"][0]["sources"][1]["admission"])),
    ("contribution-other", "link", {"payee": "curator:cora"}, {}, lambda r: r["settlements"][0]["sources"][0].update(
        contribution=r["settlements"][0]["sources"][1]["contribution"])),
    ("contribution-unsigned", "signature", {}, {f"submitted-it_dn_1_{n}": edit(signature="AA") for n in range(7)}, None),
    ("contribution-by-another-key", "signature", {}, {f"submitted-it_dn_1_{n}": edit(signer=did_key(Signer("eve").public)) for n in range(7)}, None),
    ("contribution-to-another-datanet", "signature", {}, {f"submitted-it_dn_1_{n}": edit(datanet="dn_9") for n in range(7)}, None),
    ("contribution-by-no-key", "signature", {}, {f"submitted-it_dn_1_{n}": edit(signer="did:key:z6Mk") for n in range(7)}, None),
    ("base-of-a-reading", "link", {"kind": "access", "until": "held-back"}, {}, part(base=0)),
    ("item-rejected", "link", {}, {"screened-it_dn_1_0": edit(items__entries__0__verdict="rejected"),
                                   "screened-it_dn_1_2": edit(items__entries__0__verdict="rejected")}, None),
    ("model-of-other-data", "link", {"statement": False}, {"model": edit(snapshots=[]), "job": edit(snapshots=[])}, None),
    ("model-of-more-than-it-learnt-from", "link", {"statement": False}, {"job": edit(snapshots=[])}, None),
    ("snapshot-after-the-training", "order", {"again": True}, {}, None),
    ("not-named", "link", {}, {}, source(named="passages")),
    ("fee-of-another", "fee", {"settlements": 2}, {}, lambda r: r["settlements"][0].update(charges=r["settlements"][1]["charges"])),
    ("fee-twice", "fee", {}, {"charge-0": edit(postings=postings(**{"payer:pia": -200_006, "escrow:fees": 200_006}))}, None),
    ("fee-none", "fee", {}, {}, part(charges=[])),
    ("payer-other", "fee", {}, {"charge-0": edit(postings=postings(**{"payer:max": -100_003, "escrow:fees": 100_003}))}, None),
    ("datanet-dropped", "terms", {}, {}, lambda r: r["settlements"][0]["datanets"].pop()),
    ("datanet-twice", "terms", {}, {}, lambda r: r["settlements"][0]["datanets"].append(r["settlements"][0]["datanets"][0])),
    ("member-of-another", "terms", {}, {"curator": edit(datanet="dn_2")}, None),
    ("policy-points", "terms", {}, {"created-dn_1": edit(policy__treasury_points=5001)}, None),
    ("split-points", "terms", {}, {"model": edit(split__owner=2001)}, None),
    ("holdback", "terms", {}, {"settled-0": edit(release_at=moment(0))}, None),
    ("holdback-of-edition-1", "terms", {"edition": 1}, {"settled-0": edit(release_at=moment(400_000))}, None),
    ("holdback-too-short", "terms", {"ahead": -1}, {}, None),
    ("edition-unknown", "terms", {}, {"settled-0": edit(edition=4)}, None),
    ("task-other-stage", "link", AGENT, {"done": edit(milestone=1)}, None),
    ("task-with-a-base", "link", AGENT, {}, part(base=0)),
    ("task-that-pays-less", "fee", AGENT, {"done": edit(amount=money(5))}, None),
    ("task-datanet-dropped", "terms", AGENT, {}, lambda r: r["settlements"][0]["datanets"].pop()),
    ("task-snapshot-of-another", "terms", AGENT, {}, lambda r: r["settlements"][0]["datanets"][0].update(snapshot=r["settlements"][0]["datanets"][1]["snapshot"])),
    ("task-snapshot-that-is-a-policy", "event", AGENT, {}, lambda r: r["settlements"][0]["datanets"][0].update(snapshot=r["settlements"][0]["datanets"][0]["policy"])),
    ("snapshot-for-an-answer", "terms", {}, {}, lambda r: r["settlements"][0]["datanets"][0].update(snapshot=r["settlements"][0]["sources"][0]["snapshot"])),
    ("task-snapshot-dropped", "amount", AGENT, {}, lambda r: r["settlements"][0]["datanets"][0].pop("snapshot")),
    ("task-shares-of-less", "amount", AGENT, {"snapshot-dn_2": edit(shares__entries__0__share=7)}, None),
    ("task-treasury-takes-it", "amount", AGENT, {"settled-0": shift(None, "pending:datanet:dn_1", "pending:contributor:ann")}, None),
    ("task-by-older-rules", "terms", {"kind": "task", "edition": 2, "payee": "payer:bot", "until": "held-back"},
     {"settled-0": edit(edition=3)}, None),
    ("task-payout-to-escrow", "amount", AGENT, {"done": edit(payouts__2__account="escrow:fees")}, None),
    ("weight-as-text", "format", AGENT, {}, lambda r: r["settlements"][0]["why"][0][0].update(weight="30001")),
    ("rules-after-it-happened", "terms", {"late_rules": RULES, "until": "credited"}, {}, None),
    ("holdback-endless", "terms", {"rules": RULES}, {"rules": edit(holdback_seconds=2**52)}, None),
    ("rules-forgotten", "terms", {"rules": RULES}, {}, drop("rules")),
    ("member-dropped", "amount", {}, {}, lambda r: r["settlements"][0]["datanets"][0]["members"].pop(0)),
    ("validator-dropped", "amount", {}, {}, lambda r: r["settlements"][0]["datanets"][0]["members"].pop()),
    ("one-unit-moved", "amount", {"until": "held-back"}, {"settled-0": shift(None, "pending:contributor:ann", "pending:contributor:bob")}, None),
    ("units", "amount", {}, {}, part(units="1")),
    ("payee", "amount", {"payee": "curator:cora", "until": "held-back"}, {}, lambda r: r.update(payee="curator:mallory")),
    ("step", "amount", {}, {}, step),
    ("steps-dropped", "amount", {}, {}, lambda r: r["settlements"][0]["why"].pop()),
    ("sum", "amount", {}, {}, lambda r: r["amount"].update(amount=str(int(r["amount"]["amount"]) + 1))),
    ("asset", "amount", {}, {}, lambda r: r["amount"].update(asset="EUR/2")),
    ("refund-hidden", "return", {"returns": [5_000], "until": "held-back"}, {}, part(returns=[])),
    ("refund-elsewhere", "return", {"returns": [5_000], "until": "held-back"}, {"return-0": shift(None, "pending:contributor:ann", "pending:contributor:bob")}, None),
    ("refund-of-another", "return", {"returns": [5_000], "until": "held-back"}, {"return-0": edit(settlement="6f9c0000-0000-8000-8000-000000000000")}, None),
    ("left", "return", {"returns": [5_000], "until": "held-back"}, {}, lambda r: r["settlements"][0].update(left=r["settlements"][0]["units"])),
    ("release-of-others", "release", {}, {"released": edit(settlements=[])}, None),
    ("credit-too-small", "release", {"until": "credited"}, {"released": edit(postings=postings(**{"pending:contributor:ann": -5, "contributor:ann": 5}))}, None),
    ("balance-dropped", "release", {"until": "credited"}, {}, drop("balance")),
    ("balance-small", "release", {"until": "credited"}, {}, part(balance="3")),
    ("dispute-of-another", "release", {"until": "disputed"}, {"dispute": edit(settlement="6f9c0000-0000-8000-8000-000000000000")}, None),
    ("payout-of-another", "payout", {}, {"request-1": edit(account="contributor:bob")}, None),
    ("payout-more", "payout", {}, {"request-1": edit(amount=money(1))}, None),
    ("finish-of-another", "payout", {}, {}, lambda r: r["payouts"][1].update(finish=r["payouts"][0]["finish"])),
    ("wallet-of-another", "payout", {"wallet": True}, {"wallet": edit(owner="bob")}, None),
    ("claim-of-another", "payout", {"wallet": True}, {"claim": edit(address="0x" + "cd" * 20)}, None),
    ("claim-of-one-unit", "payout", {"wallet": True}, {"claim": edit(cumulative=money(1))}, None),
    ("claim-in-another-asset", "payout", {"wallet": True}, {"claim": edit(cumulative={"asset": "EUR/2", "amount": "1000000"})}, None),
    ("claim-too-early", "payout", {"wallet": True}, {"claim": edit(epoch=2)}, None),
    ("payout-twice", "payout", {}, {}, lambda r: r["payouts"].append(r["payouts"][1])),
    ("came-back", "state", {}, {"finish-1": edit(paid=False)}, None),
    ("paid-already", "state", {"until": "on-its-way"}, {}, part(state="paid")),
    ("release-hidden", "release", {}, {}, part(releases=[])),
    ("correction-hidden", "return", {**BOB, "until": "held-back"}, {}, lambda r: r["settlements"][0]["corrections"].pop()),
    ("corrections-hidden", "return", {**BOB, "until": "held-back"}, {}, drop("corrections")),
    ("corrections-empty", "format", BOB, {}, part(corrections=[])),
    ("corrections-swapped", "order", BOB, {}, lambda r: r["settlements"][0]["corrections"].reverse()),
    ("correction-twice", "order", BOB, {}, lambda r: r["settlements"][0]["corrections"].append(r["settlements"][0]["corrections"][1])),
    ("correction-of-another", "link", BOB, {"corrected-1": edit(attribution="at_9")}, None),
    ("correction-of-another-settlement", "link", BOB, {"moved-1": edit(settlement="6f9c0000-0000-8000-8000-000000000000")}, None),
    ("correction-elsewhere", "link", BOB, {"moved-1": edit(position=3)}, None),
    ("correction-of-a-training", "link", {"kind": "training", "until": "held-back"}, {}, part(corrections=[
        {"ruling": 1, "corrected": 2, "settled": 3, "units": "1", "why": []}])),
    ("ruling-other", "link", BOB, {"ruling-1": edit(ruling="ru_9")}, None),
    ("ruling-is-no-ruling", "event", BOB, {}, lambda r: r["settlements"][0]["corrections"][0].update(ruling=r["settlements"][0]["basis"])),
    ("ruling-left-out", "event", BOB, {}, forget(lambda r: r["settlements"][0]["corrections"][0]["ruling"])),
    ("rulings-swapped", "link", BOB, {}, lambda r: r["settlements"][0]["corrections"][0].update(ruling=r["settlements"][0]["corrections"][1]["ruling"])),
    ("correction-byte", "inclusion", BOB, {}, swap(b'"share":400000000', b'"share":400000001')),
    ("correction-not-whole", "correction", BOB, {"corrected-1": edit(shares__entries__0__share=600_000_001)}, None),
    ("correction-other-shares", "correction", BOB, {"corrected-3": edit(shares__entries=[
        {"owner": "bob", "datanet": "dn_1", "share": 5 * 10**8}, {"owner": "bob", "datanet": "dn_2", "share": 5 * 10**8}])}, None),
    ("correction-moves-one-unit", "correction", {**BOB, "until": "held-back"}, {"moved-1": shift(None, "pending:contributor:bob", "pending:contributor:ann")}, None),
    ("correction-of-the-whole-fee", "correction", {**BOB, "until": "held-back"}, {}, part(returns=[])),
    ("correction-units", "correction", BOB, {}, lambda r: r["settlements"][0]["corrections"][1].update(units="1")),
    ("correction-why", "correction", BOB, {}, lambda r: r["settlements"][0]["corrections"][0]["why"].pop()),
    ("correction-says-late", "correction", BOB, {"moved-3": edit(late=True)}, None),
    ("correction-late-too-early", "correction", {"payee": "contributor:bob", "until": "held-back"} | {"late": TO_BOB}, {}, None),
    ("correction-not-late", "correction", {"payee": "contributor:bob", "until": "credited", "late": TO_BOB}, {"moved-late": edit(late=False)}, None),
    ("correction-datanet-dropped", "terms", BOB, {}, lambda r: r["settlements"][0]["datanets"].pop()),
    ("corrections-hidden-with-a-datanet", "terms", {"shares": TO_BOB, "payee": "contributor:bob", "changes": [WITHOUT_ANN], "until": "held-back"}, {}, drop("corrections")),
    ("added-without-correction", "amount", {"payee": "contributor:zoe", "until": "held-back", "changes": [[("bob", "dn_1", 9 * 10**8), ("zoe", "dn_2", 10**8)]]},
     {}, lambda r: r["settlements"][0]["corrections"][0].update(units="0")),
    ("corrected-is-returned", "state", {"changes": [TO_BOB], "until": "corrected"}, {}, part(state="returned")),
    ("old-amount", "return", {**BOB, "until": "held-back"}, {}, lambda r: r["settlements"][0].update(left=r["settlements"][0]["units"])),
    ("dispute-hidden", "state", {"until": "disputed"}, {}, drop("disputed")),
    ("payout-hidden", "state", {}, {}, lambda r: r["payouts"].pop()),
    ("subject-unknown", "subject", {}, {}, lambda r: r.update(subject="po_9")),
    ("subject-of-two", "subject", {"settlements": 2}, {}, None),
]


def main(arguments):
    folder = arguments[0]
    signer = Signer(ORIGIN)

    def write(name, word, found):
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(found, file)
        with open(os.path.join(folder, name + ".word"), "w", encoding="utf-8") as file:
            file.write(word)

    with open(os.path.join(folder, "key"), "w", encoding="utf-8") as file:
        file.write(signer.vkey)
    for name, options in GOOD.items():
        world = World(**options)
        subject = "po_1" if name == "two" else None
        write("good-" + name, "holds", json.loads(json.dumps(world.receipt(signer, subject))))
    for name, word, options, edits, change in BAD:
        options = dict(options)
        by = Signer(options.pop("signer")) if "signer" in options else signer
        found = json.loads(json.dumps(World(edits, **options).receipt(by)))
        if change:
            change(found)
        write("bad-" + name, word, found)
    # By a policy: two of three witnesses, of which one or two signed.
    witnesses = [Signer(f"witness.example/w{number}") for number in range(3)]
    lines = "".join(f"witness w{number} {one.witness} https://w{number}.example/\n" for number, one in enumerate(witnesses))
    rules = f"log {signer.vkey}\n{lines}group two 2 w0 w1 w2\nquorum two\n"
    found = json.loads(json.dumps(World(until="held-back").receipt(signer)))
    once = found | {"checkpoint": witnesses[1].cosign(found["checkpoint"]), "vouched": "witnesses"}
    twice = once | {"checkpoint": witnesses[2].cosign(once["checkpoint"])}
    foreign = once | {"checkpoint": Signer("witness.example/w9").cosign(once["checkpoint"])}
    wrong = twice | {"checkpoint": twice["checkpoint"][:-12] + ("A" if twice["checkpoint"][-12] != "A" else "B") + twice["checkpoint"][-11:]}
    cases = [("good-witnessed", "holds", twice, rules), ("good-witnessed-by-anybody", "holds", once, rules.replace("two 2", "two any")),
             ("good-witnesses-alone", "holds", twice, rules.split("\n", 1)[1]), ("good-no-quorum", "holds", found | {"vouched": "log"}, f"log {signer.vkey}\nquorum none\n"),
             ("good-witnessed-by-key", "holds", once, None), ("bad-witness-missing", "signature", once, rules), ("bad-witness-foreign", "signature", foreign, rules),
             ("bad-witness-wrong", "signature", wrong, rules), ("bad-not-witnessed", "signature", found, rules),
             ("bad-vouched", "signature", found | {"vouched": "witnesses"}, None), ("bad-vouched-word", "format", found | {"vouched": "me"}, None),
             ("bad-log-of-the-policy", "signature", twice, rules.replace(signer.vkey, Signer("other.example/log").vkey))]
    for name, word, receipt, policy in cases:
        write(name, word, receipt)
        if policy:
            with open(os.path.join(folder, name + ".policy"), "w", encoding="utf-8") as file:
                file.write(policy)
    good = sum(word == "holds" for _, word, _, _ in cases)
    print(len(GOOD) + good, len(BAD) + len(cases) - good)


if __name__ == "__main__":
    main(sys.argv[1:])
