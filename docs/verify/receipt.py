#!/usr/bin/env python3
"""Verifies a receipt of OpenLedger with Python's standard library and nothing else.

    python3 receipt.py FILE VKEY
    python3 receipt.py FILE --policy POLICY [VKEY]

VKEY is the log's verifier key, POLICY a file that names logs, witnesses and a quorum (C2SP tlog-policy), from somebody you trust. The format and the checks are described in ../receipts.md; the numbers in the
comments are those of its list of checks. Exit status: 0 the receipt holds, 1 it does not (the fault's word and reason on standard
error), 2 it could not be read.
"""

import base64
import datetime
import hashlib
import json
import sys

import verify as log

WHOLE = 10**9
STATES = ("disputed", "returned", "corrected", "held-back", "waiting", "credited", "on-its-way", "paid")
PAID = ("payer", "contributor", "curator", "validator", "model-owner", "compute", "datanet", "platform")
STANDARD = {"platform_points": 500, "platform": "platform:house", "holdback_seconds": 259200,
            "training": {"owner": 0, "datanets": 2000, "contributors": 5000, "validators": 500, "compute": 2500}}


class Fault(Exception):
    def __init__(self, word, reason):
        super().__init__(reason)
        self.word = word


def need(truth, word, reason):
    if not truth:
        raise Fault(word, reason)


def natural(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def weight(value):
    """A number, or from 2^53 on its decimal text: the weights of a task are its amounts."""
    return natural(value) or isinstance(value, str) and value.isascii() and value.isdigit() and value[0] != "0" and 2**53 <= int(value) < 2**64


def text(value):
    return isinstance(value, str) and 0 < len(value) < 2**16


def units(value):
    return text(value) and value.isascii() and value.lstrip("-").isdigit() and str(int(value)) == value


def rising(value):
    return isinstance(value, list) and all(map(natural, value)) and value == sorted(set(value))


def hash32(value):
    return text(value) and len(b64(value)) == 32


def b64(value):
    try:
        return log.decode(value)
    except (log.Bad, ValueError, TypeError) as error:
        raise Fault("format", f"base64: {error}") from None


def b64url(value):
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return b""


def did_key(value):
    """The Ed25519 key of a did:key; nothing for what is none."""
    number = 0
    for letter in value.removeprefix("did:key:z"):
        place = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".find(letter)
        if place < 0 or number >> 272:
            return b""
        number = number * 58 + place
    raw = number.to_bytes(35, "big")
    return raw[3:] if value.startswith("did:key:z") and raw[:3] == b"\0\xed\1" else b""


def signed(key, signature, message):
    try:
        return log.ed25519(key, signature, message)
    except log.Bad:
        return False


# Members with a question mark may be missing; a list is (what, least, most).
ITEM = dict.fromkeys("cluster commitment contribution item language licence owner".split(), text) | {"tokens": natural}
SOURCE = dict.fromkeys("index contribution screening admission snapshot".split(), natural) | {
    "item": ITEM, "proof": (hash32, 0, 63), "named": ("spans", "passages", "owner").__contains__}
STEP = {"name": text, "weight": weight, "of": weight, "units": units}
WAYS = ((STEP, 1, 16), 0, 100)
CORRECTION = {"ruling": natural, "corrected": natural, "settled": natural, "units": units, "why": WAYS}
SETTLEMENT = {"settled": natural, "basis": natural, "inference?": natural, "model?": natural, "training?": natural, "base?": natural,
              "charges": rising, "rules?": natural, "datanets": ({"policy": natural, "members": rising, "snapshot?": natural}, 0, 1000), "sources": (SOURCE, 0, 16),
              "units": units, "why": WAYS, "returns": rising, "corrections?": (CORRECTION, 1, 20), "left": units, "disputed?": natural, "releases": rising,
              "balance?": units, "state": STATES.__contains__}
PAYOUTS = ({"request": natural, "finish?": natural}, {"epoch": natural, "wallet": natural, "claim?": natural})
RECEIPT = {"type": "openledger/receipt/v1".__eq__, "subject": text, "payee": text, "amount": {"asset": text, "amount": units}, "checkpoint": text, "vouched?": ("log", "witnesses").__contains__,
           "events": ({"position": natural, "event": text, "proof": (hash32, 0, 63)}, 1, 2000), "evidence": (text, 0, 200),
           "settlements": (SETTLEMENT, 1, 20), "payouts": (lambda one: fits(one, PAYOUTS["request" not in one]) or True, 0, 50)}


def fits(value, shape, where="the receipt"):
    if isinstance(shape, dict):
        names = {name.rstrip("?"): name for name in shape}
        need(isinstance(value, dict) and set(value) <= set(names), "format", f"{where} has a member that is not known, or is no object")
        for name, mark in names.items():
            need(name in value or mark != name, "format", f"{where} has no {name}")
            if name in value:
                fits(value[name], shape[mark], name)
    elif isinstance(shape, tuple):
        need(isinstance(value, list) and shape[1] <= len(value) <= shape[2], "format", f"{where} is no list of that length")
        for one in value:
            fits(one, shape[0], where)
    else:
        need(shape(value), "format", f"{where}: {str(value)[:40]!r}")


def divide(whole, weights):
    total = sum(weights)
    need(total > 0, "amount", "nothing to split by")
    parts = [whole * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for i in order[: whole - sum(parts)]:
        parts[i] += 1
    return parts


def walk(whole, node, path, ways):
    """A node is an account's name, or a list of (name, weight, node)."""
    if not whole:
        return
    if isinstance(node, str):
        ways.append((node, path))
        return
    of, number = sum(weight for _, weight, _ in node), lambda weight: weight if weight < 2**53 else str(weight)
    for (name, weight, below), part in zip(node, divide(whole, [weight for _, weight, _ in node])):
        walk(part, below, path + [{"name": name, "weight": number(weight), "of": number(of), "units": str(part)}], ways)


def by(key, some):
    return sorted({k: sum(s["share"] for s in some if s[key] == k) for k in {s[key] for s in some}}.items(), key=lambda pair: pair[0].encode())


def people(some):
    return [(name, share, "contributor:" + name) for name, share in by("owner", some)]


def equally(kind, names, id):
    return [(n, 1, kind + ":" + n) for n in sorted(names, key=str.encode)] or "datanet:" + id


def inside(id, own, policy, curators):
    """What a Datanet does with its part, given the shares in it."""
    return [("treasury", policy["treasury_points"], "datanet:" + id), ("curators", policy["curator_points"], equally("curator", curators, id)),
            ("contributors", policy["contributor_points"], people(own) or "datanet:" + id)]


def work(task, edition, shares, datanets):
    """How a stage of a task is divided: as its event says, and what is a Datanet's as that does with its part."""
    parts = []
    for payout in task["payouts"]:
        account, amount = payout["account"], payout["amount"]
        kind, id = account.split(":", 1)
        need(kind in PAID and int(amount["amount"]) > 0 and amount["asset"] == task["amount"]["asset"], "amount", f"the payout to {account}")
        own = [share for share in shares if share["datanet"] == id]
        below = account
        if kind == "datanet" and edition > 2:
            need(not own or sum(share["share"] for share in own) == WHOLE, "amount", "the shares do not make 10^9")
            below = inside(id, own, *datanets[id][:2])
        parts.append((account, int(amount["amount"]), below))
    return parts


def tree(rules, split, owner, runner, shares, datanets):
    points = rules["platform_points"]
    owner, compute = "model-owner:" + owner, "compute:" + runner
    if not shares:
        net = [("owner", 10000 - split["compute"], owner), ("compute", split["compute"], compute)]
    else:
        kept, checkers = [], []
        for id, share in by("datanet", shares):
            policy, curators, validators = datanets[id]
            kept.append((id, share, inside(id, [s for s in shares if s["datanet"] == id], policy, curators)))
            checkers.append((id, share, equally("validator", validators, id)))
        net = [("owner", split["owner"], owner), ("datanets", split["datanets"], kept),
               ("contributors", split["contributors"], people(shares)), ("validators", split["validators"], checkers),
               ("compute", split["compute"], compute)]
    return [("platform", points, rules["platform"]), ("net", 10000 - points, net)]


class Receipt:
    def __init__(self, source, vkeys, policy=None):
        try:
            self.all = json.loads(source)
        except ValueError as error:
            raise Fault("format", str(error)) from None
        fits(self.all, RECEIPT)
        places = [entry["position"] for entry in self.all["events"]]
        need(rising(places), "format", "the events' positions do not rise")
        self.raw = {entry["position"]: (b64(entry["event"]), [b64(h) for h in entry["proof"]]) for entry in self.all["events"]}
        self.files = {"sha256:" + hashlib.sha256(file).hexdigest(): file for file in map(b64, self.all["evidence"])}
        try:  # 2
            self.origin, self.size, root = log.open_by(self.all["checkpoint"], vkeys, policy)
        except (log.Bad, ValueError, AttributeError) as error:
            raise Fault("signature", str(error)) from None
        signers = [line.split(" ")[1] for line in self.all["checkpoint"].rpartition("\n\n")[2][:-1].split("\n")]
        need(self.all.get("vouched") != "witnesses" or set(signers) - {self.origin}, "signature", "it says that witnesses vouched, and the log alone signed")
        need(places[-1] < self.size, "format", "an event is behind the checkpoint")
        for place, (event, proof) in self.raw.items():  # 3
            try:
                need(log.climb(hashlib.sha256(b"\x00" + event).digest(), place, self.size, proof) == root, "inclusion", f"the event at {place}")
            except log.Bad as error:
                raise Fault("inclusion", f"the event at {place}: {error}") from None

    def event(self, place, *types):  # 4
        need(place in self.raw, "event", f"there is no event at {place}")
        try:
            event = json.loads(self.raw[place][0])
            need(event["type"] in types, "event", f"the event at {place} is {event['type']}, not {' or '.join(types)}")
        except (ValueError, KeyError, TypeError):
            raise Fault("event", f"at {place} is no event") from None
        return event

    def data(self, place, *types):
        return self.event(place, *types)["data"]

    def entries(self, found, required=True):
        if "entries" in found:
            return found["entries"]
        file = self.files.get(found["evidence"])
        need(file is not None or not required, "evidence", f"{found['evidence']} is not in the receipt")
        if file is None:
            return None
        value = json.loads(file)
        need(isinstance(value, list) and len(value) == found["count"], "evidence", f"{found['evidence']} is not that list")
        return value

    def sums(self, place, *types):
        sums = {}
        for entry in self.entries(self.data(place, *types)["postings"]):
            sums[entry["account"]] = sums.get(entry["account"], 0) + int(entry["amount"]["amount"])
        return sums

    def settlement(self, part):
        payee, settled, basis = self.all["payee"], part["settled"], part["basis"]
        posted, cause = self.event(settled, "settlement.posted"), self.event(basis, "attribution.computed", "job.completed", "access.used", "task.completed")  # 4
        bill, found = posted["data"], cause["data"]
        kind = {"job.completed": "training", "access.used": "access", "task.completed": "task"}.get(cause["type"], "inference")
        reference = f"{found['task']}#{found['milestone']}" if kind == "task" else found[{"training": "job"}.get(kind, kind)]
        training = kind != "inference"
        need(bill["position"] == basis and bill["id"] == cause["id"] == posted["cause"].get("event"), "link", "the settlement is of another event")  # 5
        need(bill["kind"] == kind and bill["reference"] == reference, "link", "the settlement's reference")
        need(training == ("model" not in part) == ("inference" not in part) and not (training and "training" in part), "link", "what made the settlement")
        snapshots, statement, order = found.get("snapshots", []), None, [basis, settled]
        if kind == "access":  # 6
            sold = [self.data(source["snapshot"], "snapshot.published") for source in part["sources"]]
            snapshots = [{key: one[key] for key in ("datanet", "snapshot", "number", "root")} for one in sold if one["snapshot"] == found["snapshot"]]
            maker, base = {"runner": found["reader"]}, None
            need("base" not in part, "link", "a reading has no base model")
        elif kind == "task":
            maker, base = {"runner": found["provider"]}, None
            need("base" not in part, "link", "a task has no base model")
        elif training:
            maker, base = found, found["base"]
        else:
            maker, model = self.data(part["inference"], "inference.completed"), self.data(part["model"], "model.published")
            need(maker["inference"] == found["inference"], "link", "the inference is another one")
            need(len({(e["model"], e["version"]) for e in (maker, model, found)}) == 1, "link", "the model is another one")
            need(maker["base"] == model["base"] and maker.get("adapter") == model.get("adapter"), "link", "base or adapter are others")
            need(("training" in part) == ("job" in model), "link", "the model's training")
            order = [part["model"], part["inference"]] + order
            if "training" in part:
                job = self.data(part["training"], "job.completed")
                need(job["job"] == model["job"] and job["adapter"] == model.get("adapter"), "link", "the model's training is another one")
                need(job["snapshots"] == model["snapshots"], "link", "the model names other snapshots than its training learnt from")
                learnt = {one["snapshot"] for one in job["snapshots"]}
                need(all(s["snapshot"] < part["training"] for s in part["sources"] if self.data(s["snapshot"], "snapshot.published")["snapshot"] in learnt),
                     "order", "a snapshot came after the training that learnt from it")
                order = [part["training"]] + order
            snapshots, base = model["snapshots"], model["base"]
            statement = self.files.get(found["evidence"])
            statement = statement and json.loads(statement)
            if statement:
                snapshots = snapshots + [source["snapshot"] for source in statement["sources"]]
        if "base" in part:
            need(self.data(part["base"], "base-model.registered")["model"] == base, "link", "the base model is another one")
        need(all(a < b for a, b in zip(order, order[1:])), "order", "training, model, inference, basis and settlement do not follow each other")
        if kind == "task":
            newest = [self.data(entry["snapshot"], "snapshot.published") for entry in part["datanets"] if "snapshot" in entry]
            snapshots = [{key: one[key] for key in ("datanet", "snapshot", "number", "root")} for one in newest]
            listed = [share for one in newest if "shares" in one for share in self.entries(one["shares"])]
        else:
            listed = self.entries(found["shares"])
        shares = [share for share in listed if share["share"] > 0]
        need(not training or "corrections" not in part, "link", "there is no attribution that could be corrected")  # 7
        corrections = self.corrections(part, bill, found, basis, settled)
        ever = shares + [share for one in corrections for share in one["shares"]]
        statements = [one for one in [statement] + [one["statement"] for one in corrections] if one]
        for source in part["sources"]:  # 8
            self.source(source, snapshots, statements, ever, basis)
        fee, payer, asset = int(bill["fee"]["amount"]), bill["payer"], bill["fee"]["asset"]  # 9
        taken = 0
        for place in part["charges"]:
            need(self.data(place, "hold.captured", "account.transferred").get("reference") == bill["reference"] and place < settled, "fee", f"the charge at {place}")
            moved = self.sums(place, "hold.captured", "account.transferred")
            taken += moved.get("escrow:fees", 0)
            need(moved == {} or moved == {"escrow:fees": moved.get("escrow:fees"), payer: -moved.get("escrow:fees", 0)}, "fee", "the fee is not the payer's")
        need(taken == fee, "fee", f"{taken} were taken, {fee} settled")
        need(kind != "task" or asset == found["amount"]["asset"] and fee <= int(found["amount"]["amount"]), "fee", "the task pays less")
        rules = self.data(part["rules"], "settlement.rules-set") if "rules" in part else STANDARD  # 10
        need("rules" not in part or part["rules"] < settled, "terms", "the rules came later")
        edition = bill.get("edition", 1)
        need(edition in (1, 2, 3), "terms", f"edition {edition} of the rules is not known")
        need("rules" not in part or edition == 1 or self.event(part["rules"], "settlement.rules-set")["time"] <= cause["time"], "terms", "the rules came after it happened")
        datanets = {}
        for entry in part["datanets"]:
            policy = self.data(entry["policy"], "datanet.created", "datanet.policy-changed")
            roles = {"curator": set(), "validator": set()}
            for place in entry["members"]:
                member = self.event(place, "member.granted", "member.revoked")
                need(member["data"]["datanet"] == policy["datanet"] and place <= basis, "terms", "a member of another Datanet, or later")
                holders = roles.get(member["data"]["role"], set())
                (holders.add if member["type"] == "member.granted" else holders.discard)(member["data"]["principal"])
            need(entry["policy"] <= basis and policy["datanet"] not in datanets, "terms", "a policy came later, or twice")
            datanets[policy["datanet"]] = (policy["policy"], roles["curator"], roles["validator"])
            if "snapshot" in entry:
                need(kind == "task", "terms", "a snapshot for what is no task")
                one = self.data(entry["snapshot"], "snapshot.published")
                need(one["datanet"] == policy["datanet"] and "shares" in one and entry["snapshot"] < basis, "terms", "the snapshot is another's, or came later")
        named = {share["datanet"] for share in ever}
        if kind == "task":
            named = {payout["account"].split(":", 1)[1] for payout in found["payouts"] if edition > 2 and payout["account"].startswith("datanet:")}
        need(set(datanets) == named, "terms", "the Datanets are not those of the shares")
        whole = dict.fromkeys(rules["training"], 0) | {"datanets": 10000}
        split = {"training": rules["training"], "access": whole, "task": whole}.get(kind) or model["split"]
        need(0 <= rules["platform_points"] <= 10000 and sum(split.values()) == 10000, "terms", "the points do not make 10,000")
        need(all(p["treasury_points"] + p["curator_points"] + p["contributor_points"] == 10000 for p, _, _ in datanets.values()), "terms", "a policy's points")
        need(rules["holdback_seconds"] <= 31_536_000, "terms", "the holdback is longer than a year")
        moment = datetime.datetime.fromisoformat(cause["time"]) + datetime.timedelta(seconds=rules["holdback_seconds"])
        until = datetime.datetime.fromisoformat(bill["release_at"])
        need(until == moment or edition > 1 and until > moment, "terms", "the holdback")
        need(kind == "task" or not shares or sum(share["share"] for share in shares) == WHOLE, "amount", "the shares do not make 10^9")  # 11
        owner = found[{"training": "owner", "access": "reader", "task": "provider"}[kind]] if training else model["owner"]

        def divided(whole, shares):
            ways, sums = [], {}
            walk(whole, work(found, edition, shares, datanets) if kind == "task" else tree(rules, split, owner, maker["runner"], shares, datanets), [], ways)
            for account, path in ways:
                sums["pending:" + account] = sums.get("pending:" + account, 0) + int(path[-1]["units"])
            return sums, [path for account, path in ways if account == payee]

        expected, why = divided(fee, shares)
        expected.update({"escrow:fees": -fee} if fee else {})
        listed = self.entries(bill["postings"])
        need([(e["account"], int(e["amount"]["amount"])) for e in listed] == sorted(expected.items(), key=lambda pair: pair[0].encode()), "amount", "the postings are not what the terms make")
        need(all(e["amount"]["asset"] == asset for e in listed), "amount", "the postings' asset")
        need(int(part["units"]) == expected.get("pending:" + payee, 0), "amount", "the payee's units")
        need(int(part["units"]) > 0 or any(int(one["units"]) > 0 for one in part.get("corrections", [])), "amount", "the payee gets nothing")
        need(part["why"] == why, "amount", "the steps to the amount")
        left = [[e["account"], int(e["amount"]["amount"])] for e in listed if e["account"] != "escrow:fees"]  # 12
        last = settled
        for place, correction in sorted([(p, None) for p in part["returns"]] + [(one["settled"], one) for one in corrections], key=lambda pair: pair[0]):
            if correction:
                left = self.corrected(correction, left, asset, part["releases"], lambda shares: divided(sum(has for _, has in left), shares))
                last = last if correction["late"] else place
                continue
            last = place
            back = self.data(place, "refund.posted", "dispute.resolved")
            need(back["settlement"] == bill["id"] and place > settled, "return", "a refund of another settlement, or too early")
            moved, whole = self.sums(place, "refund.posted", "dispute.resolved"), int(back["amount" if "amount" in back else "refund"]["amount"])
            need(0 < whole <= sum(has for _, has in left), "return", "more comes back than there is")
            for pair, share in zip(left, divide(whole, [has for _, has in left])):
                need(moved.get(pair[0], 0) == -share, "return", f"{pair[0]} gives another part back")
                pair[1] -= share
        rest = dict(map(tuple, left)).get("pending:" + payee, 0)
        need(int(part["left"]) == rest, "return", "what is left")
        credit = None  # 13
        if "disputed" in part:
            need(self.data(part["disputed"], "dispute.opened")["settlement"] == bill["id"], "release", "a dispute of another settlement")
        need(len(part["releases"]) <= 2, "release", "more than two releases")
        for index, place in enumerate(part["releases"]):
            need(place > last, "release", "the release came before")
            need(index == 1 or bill["id"] in self.data(place, "settlement.released")["settlements"], "release", "the release is of others")
            gets = self.sums(place, "settlement.released").get(payee, 0)
            need(index == 0 or (gets > 0 and credit is None), "release", "the second release")
            if gets > 0:
                credit = place
                need(gets >= rest and int(part.get("balance", "0")) >= gets, "release", "the credit is too small, or the balance")
        need(("balance" in part) == (credit is not None), "release", "the balance")
        return {"left": rest, "asset": asset, "credit": credit, "id": bill["id"], "disputed": "disputed" in part, "part": part,
                "away": [one["units"] for one in corrections if not one["late"]][-1:] == ["0"]}

    def corrections(self, part, bill, found, basis, settled):  # 7
        all, before = [], settled
        for one in part.get("corrections", []):
            ruling, event = self.event(one["ruling"], "ruling.made"), self.event(one["corrected"], "attribution.corrected")
            posted, data = self.event(one["settled"], "settlement.corrected"), event["data"]
            moved = posted["data"]
            need(data["attribution"] == found["attribution"], "link", "the correction is of another attribution")
            need(data["ruling"] == ruling["data"]["ruling"] and event["cause"].get("event") == ruling["id"], "link", "the correction follows from another ruling")
            need(moved["settlement"] == bill["id"] and moved["id"] == event["id"] == posted["cause"].get("event")
                 and moved["position"] == one["corrected"], "link", "what was moved is another correction's")
            need(basis < one["corrected"] < one["settled"] and one["ruling"] < one["corrected"] and before < one["settled"], "order", "the corrections do not follow each other")
            shares = [] if moved["late"] else [share for share in self.entries(data["shares"]) if share["share"] > 0]
            file = None if moved["late"] else self.files.get(data["evidence"])
            all.append(one | {"late": moved["late"], "postings": moved["postings"], "shares": shares, "statement": file and json.loads(file)})
            before = one["settled"]
        return all

    def corrected(self, one, left, asset, releases, divided):  # 12
        moved, payee = self.entries(one["postings"]), "pending:" + self.all["payee"]
        if one["late"]:
            need(not moved and releases and releases[0] < one["settled"], "correction", "it came late and moves money, or it did not come late")
            need(one["why"] == [], "correction", "steps to nothing")
        else:
            need(not one["shares"] or sum(share["share"] for share in one["shares"]) == WHOLE, "correction", "the shares do not make 10^9")
            after, why = divided(one["shares"])
            gives = {account: after.get(account, 0) - dict(map(tuple, left)).get(account, 0) for account in {*after, *(account for account, _ in left)}}
            need([(e["account"], int(e["amount"]["amount"])) for e in moved] == sorted(((a, u) for a, u in gives.items() if u), key=lambda pair: pair[0].encode())
                 and all(e["amount"]["asset"] == asset for e in moved), "correction", "what was moved is not what the other shares make")
            need(one["why"] == why, "correction", "the steps to the corrected amount")
            left = [[account, has] for account, has in sorted(after.items(), key=lambda pair: pair[0].encode())]
        need(int(one["units"]) == dict(map(tuple, left)).get(payee, 0), "correction", "what the payee has by the correction")
        return left

    def source(self, source, snapshots, statements, shares, basis):  # 8
        item, snapshot = source["item"], self.data(source["snapshot"], "snapshot.published")
        leaf = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            top = log.climb(hashlib.sha256(b"\x00" + leaf).digest(), source["index"], snapshot["items"], [b64(h) for h in source["proof"]])
        except log.Bad as error:
            raise Fault("item", str(error)) from None
        need("sha256:" + top.hex() == snapshot["root"], "item", f"{item['item']} is not under the snapshot's root")
        need({key: snapshot[key] for key in ("datanet", "snapshot", "number", "root")} in snapshots, "link", "nothing was made from the snapshot")
        admission, screening = self.data(source["admission"], "admission.granted"), self.data(source["screening"], "contribution.screened")
        need(admission["datanet"] == snapshot["datanet"] and admission["contribution"] == item["contribution"], "link", "the admission is of others")
        admitted, screened = self.entries(admission["items"], False), self.entries(screening["items"], False)
        need(admitted is None or item in admitted, "link", "the admission has not the item")
        need(screening["contribution"] == item["contribution"], "link", "the screening is of another contribution")
        same = lambda e: e["item"] == item["item"] and e["commitment"] == item["commitment"] and e["owner"] == item["owner"] and e["verdict"] == "accepted"
        need(screened is None or any(map(same, screened)), "link", "the screening has not the item")
        came = self.data(source["contribution"], "contribution.submitted")
        need(came["contribution"] == item["contribution"], "link", "the contribution is another one")
        message = "\n".join(["openledger/contribution", came["datanet"], came["contributor"], came["kind"], came.get("supersedes", ""), came["manifest"]])
        need(signed(did_key(came["signer"]), b64url(came["signature"]), message.encode()), "signature", "the contribution is not signed by its signer")
        need(any(s["owner"] == item["owner"] and s["datanet"] == snapshot["datanet"] for s in shares), "link", "the item's owner has no share")
        kind, name = self.all["payee"].split(":", 1)
        need(kind != "contributor" or name == item["owner"], "link", "the item is not the payee's")
        if source["named"] != "owner":
            need(statements, "evidence", "the attribution's evidence is not in the receipt")
            found = [statement.get("computed") or {} for statement in statements]
            lists = {"spans": [e for one in found for span in one.get("spans", []) for e in span["earners"]],
                     "passages": [e for one in found for e in one.get("passages", [])]}
            need(any(entry["item"] == item["item"] for entry in lists[source["named"]]), "link", "the evidence does not name the item")
        order = [source[name] for name in ("contribution", "screening", "admission", "snapshot")] + [basis]
        need(all(a < b for a, b in zip(order, order[1:])), "order", "contribution, screening, admission, snapshot and basis do not follow each other")

    def payout(self, entry, asset):  # 14
        payee = self.all["payee"]
        if "request" in entry:
            out, end = self.data(entry["request"], "payout.requested"), None
            need(out["account"] == payee, "payout", "the payout is another's")
            units, place = -self.sums(entry["request"], "payout.requested").get(payee, 0), entry["request"]
            need(out["amount"]["asset"] == asset and int(out["amount"]["amount"]) == units > 0, "payout", "the payout's amount")
            if "finish" in entry:
                end = self.data(entry["finish"], "payout.finished")
                need(end["id"] == out["id"] and entry["finish"] > place, "payout", "the end is another payout's")
            return place, units, end is None or end["paid"], bool(end and end["paid"]), out["id"]
        epoch, wallet, place = self.data(entry["epoch"], "payout.epoch-closed"), self.data(entry["wallet"], "account.wallet-set"), entry["epoch"]
        units = -self.sums(place, "payout.epoch-closed").get(payee, 0)
        need(units > 0 and epoch["asset"] == asset, "payout", "the epoch pays the payee nothing")
        need(wallet["owner"] == payee.split(":", 1)[1] and entry["wallet"] < place, "payout", "the wallet is another's, or came later")
        if "claim" in entry:
            claim = self.data(entry["claim"], "payout.claimed")
            need(claim["address"] == wallet["address"] and claim["asset"] == asset and claim["epoch"] >= epoch["epoch"] and entry["claim"] > place, "payout", "the claim")
            past = [one for one in self.all["payouts"] if "epoch" in one and one["epoch"] <= place and one["wallet"] == entry["wallet"]]
            owed = -sum(self.sums(one["epoch"], "payout.epoch-closed").get(payee, 0) for one in past)
            need(claim["cumulative"]["asset"] == asset and int(claim["cumulative"]["amount"]) >= owed, "payout", "the claim is of less than the wallet was to have")
        return place, units, True, "claim" in entry, None

    def check(self):
        parts = []
        for part in self.all["settlements"]:
            found = self.settlement(part)
            payouts = [self.payout(entry, found["asset"]) for entry in self.all["payouts"]]
            need([p[0] for p in payouts] == sorted({p[0] for p in payouts}), "payout", "the payouts do not rise")
            since = [p for p in payouts if found["credit"] is not None and p[0] > found["credit"]]  # 15
            requested, paid, balance = sum(p[1] for p in since if p[2]), sum(p[1] for p in since if p[3]), int(part.get("balance", "0"))
            state = ("disputed" if found["disputed"] else "corrected" if not found["left"] and found["away"] else "returned" if not found["left"] else "held-back" if not part["releases"] else "waiting"
                     if found["credit"] is None else "paid" if paid >= balance else "on-its-way" if requested >= balance else "credited")
            need(part["state"] == state, "state", f"it is {state}, not {part['state']}")
            parts.append(found)
        amount = self.all["amount"]  # 16
        need({part["asset"] for part in parts} == {amount["asset"]} and sum(part["left"] for part in parts) == int(amount["amount"]), "amount", "the sum")
        mine = [p for p in payouts if p[4] == self.all["subject"]]
        need((len(parts) == 1 and parts[0]["id"] == self.all["subject"])
             or any(all(part["credit"] is not None and part["credit"] < p[0] for part in parts) for p in mine), "subject", "the receipt is of something else")
        return parts


def main(arguments):
    rules, names = None, list(arguments)
    if names[1:2] == ["--policy"] and len(names) in (3, 4):
        rules = names[2]
        del names[1:3]
    if len(names) != 2 and not (rules and len(names) == 1):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(names[0], encoding="utf-8") as file:
            text = file.read()
        if rules:
            with open(rules, encoding="utf-8") as file:
                rules = file.read()
            log.policy(rules)
    except (OSError, UnicodeDecodeError, log.Bad) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        receipt = Receipt(text, names[1:], rules)
        parts = receipt.check()
    except Fault as fault:
        print(f"THE RECEIPT DOES NOT HOLD: {fault.word}: {fault}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError) as error:
        print(f"THE RECEIPT DOES NOT HOLD: event: {type(error).__name__} {error}", file=sys.stderr)
        return 1
    print(f"{receipt.all['payee']} gets {receipt.all['amount']['amount']} of {receipt.all['amount']['asset']}, by {receipt.size} events of {receipt.origin}")
    for part in parts:
        print(f"settlement {part['id']}: {part['left']}, {part['part']['state']}")
    print("The receipt holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
