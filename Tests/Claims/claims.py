"""Earnings of real settlements leave by the epochs' claims: see check.sh.

    python3 claims.py URL ADMINISTRATOR-KEY GATEWAY-TOKEN ATTRIBUTION-TOKEN DATANET-TOKEN TRAINING-TOKEN BILLING-TOKEN

Trees, proofs and roots are computed again here, by the formats' descriptions alone.
"""

import base64
import datetime
import hashlib
import http.client
import json
import pathlib
import sys
import time
import urllib.parse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_hash.auto import keccak

from chain import Chain, call, compiled

root = pathlib.Path(__file__).resolve().parents[2]
ASSET = "USDC/6"
ZERO = "sha256:" + "0" * 64


def must(condition, what):
    if not condition:
        raise SystemExit(f"claims: {what}")


class House:
    def __init__(self, url, administrator, tokens):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
        self.administrator = administrator
        self.tokens = tokens
        self.serial = 0

    def ask(self, method, path, body=None, token=None, key=None):
        headers = {"Authorization": "Bearer " + (token or self.administrator), "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def get(self, path):
        status, answer = self.ask("GET", path)
        must(status == 200, f"GET {path}: {status} {answer}")
        return answer

    def post(self, path, body):
        self.serial += 1
        status, answer = self.ask("POST", path, body, key=f"claims-{self.serial}")
        must(status == 200, f"POST {path}: {status} {answer}")
        return answer["events"]

    def refused(self, code, path, body):
        self.serial += 1
        status, answer = self.ask("POST", path, body, key=f"claims-{self.serial}")
        must(status >= 400 and answer["type"] == "/problems/" + code, f"POST {path}: {status} {answer}, not {code}")

    def tell(self, service, stream, events):
        """Events of another service, in one append."""
        self.serial += 1
        cause = f"told-{self.serial}"
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        made = []
        for ordinal, (kind, data) in enumerate(events):
            digest = bytearray(hashlib.sha256(f"openledger/event\n{cause}\n{kind}\n{ordinal}".encode()).digest()[:16])
            digest[6] = digest[6] & 0x0F | 0x80
            digest[8] = digest[8] & 0x3F | 0x80
            text = digest.hex()
            name = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
            made.append({
                "actor": "claims", "cause": {"command": cause, "digest": ZERO}, "correlation": "claims", "data": data, "id": name,
                "stream": stream, "time": now, "type": kind, "v": 1,
            })
        body = '{"events":[' + ",".join(json.dumps(event, separators=(",", ":"), sort_keys=True) for event in made) + "]}"
        headers = {"Authorization": "Bearer " + self.tokens[service], "Content-Type": "application/json"}
        self.connection.request("POST", "/log/v1/append", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        must(answer.status == 201, f"append by {service}: {answer.status} {text}")


class Wallets:
    """The wallets of one owner, each change signed by the key that the one before it named."""

    def __init__(self, house, owner):
        self.house, self.owner, self.sequence = house, owner, 0
        self.key, self.safe = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    def set(self, address, signer=None, sequence=None):
        sequence = self.sequence if sequence is None else sequence
        key, recovery = did_key(self.key), did_key(self.safe)
        message = f"openledger/wallet\n{self.owner}\n{sequence}\n{address}\n{key}\n{recovery}".encode()
        signature = base64.urlsafe_b64encode((signer or self.key).sign(message)).rstrip(b"=").decode()
        return {
            "owner": self.owner, "address": address, "sequence": sequence, "key": key, "recovery": recovery, "signature": signature,
        }

    def move(self, address, signer=None):
        self.house.post("/v1/accounts/wallets", self.set(address, signer))
        self.sequence += 1


def did_key(key):
    """did:key of an Ed25519 key: its multicodec prefix and bytes in base58."""
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(b"\xed\x01" + key.public_key().public_bytes_raw(), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = digits[digit] + text
    return "did:key:z" + text


def amount(units):
    return {"asset": ASSET, "amount": str(units)}


# ---------------------------------------------------------------- the trees, by their descriptions


def standard_tree(values):
    """OpenZeppelin's StandardMerkleTree of (address, uint256): its nodes."""
    leaves = sorted(keccak(keccak(bytes(12) + bytes.fromhex(address[2:]) + int(units).to_bytes(32, "big"))) for address, units in values)
    nodes = [b""] * (2 * len(leaves) - 1)
    for rank, leaf in enumerate(leaves):
        nodes[len(nodes) - 1 - rank] = leaf
    for place in range(len(leaves) - 2, -1, -1):
        nodes[place] = keccak(b"".join(sorted(nodes[2 * place + 1 : 2 * place + 3])))
    return nodes


def liability_root(account, units, proof):
    """The root of the tree of sums that a holder's proof leads to."""
    name = account.encode()
    digest = hashlib.sha256(b"\0" + len(name).to_bytes(2, "big") + name + units.to_bytes(16, "big")).digest()
    total = units
    for step in proof:
        other, weight = bytes.fromhex(step["hash"].removeprefix("sha256:")), int(step["sum"])
        must(weight >= 0, "a neighbour owes less than nothing")
        mine, theirs = digest + total.to_bytes(16, "big"), other + weight.to_bytes(16, "big")
        digest = hashlib.sha256(b"\1" + (theirs + mine if step["left"] else mine + theirs)).digest()
        total += weight
    return digest.hex(), total


# ---------------------------------------------------------------- earning


def prepare(house):
    house.post("/v1/settlements/rules", {
        "platform_points": 500, "platform": "platform:house",
        "training": {"owner": 0, "datanets": 2000, "contributors": 5000, "validators": 500, "compute": 2500},
        "holdback_seconds": 0, "dispute_bond": 1000000, "unbond_seconds": 604800, "dust": 50,
    })
    house.post("/v1/accounts", {"account": "payer:pia", "asset": ASSET})
    house.post("/v1/accounts/payer:pia/deposits", {"amount": amount(10**12), "rail": "bank", "reference": "one"})
    policy = {
        "access": "open", "licences": ["CC0-1.0"], "treasury_points": 5000, "curator_points": 2000, "contributor_points": 3000,
        "admission": "automatic", "minimum_quality": 0, "panel": 3, "quorum": 2, "voting": "role",
    }
    house.tell("datanet", "datanet/dn_claims", [
        ("datanet.created", {"datanet": "dn_claims", "owner": "olga", "domain": "finance", "media": "text", "policy": policy})
    ])
    house.tell("training", "model/claims", [("model.published", {
        "model": "acme/claims", "version": 1, "owner": "acme", "base": "base", "snapshots": [], "retrieval": [],
        "price": {"request": amount(0), "input": amount(1), "output": amount(1)},
        "split": {"owner": 2000, "datanets": 3000, "contributors": 3000, "validators": 1000, "compute": 1000},
        "attribution": {
            "rules": "attribution/1", "spans": 4000, "influence": 3000, "retrieval": 3000, "threshold": 0, "cap": 1000000000,
            "fallback": "tokens", "minimum_span": 4,
        },
    })])


def earn(house, first, count, owners):
    """Answers whose fees are shared out among so many contributors. The attributions are told first: the order does not matter."""
    attributions, inferences = [], []
    for index in range(first, first + count):
        name = f"inf-{index}"
        shares, left = [], 10**9
        for place in range(4):
            part = left if place == 3 else (index * 7919 + place * 104729) % (left // 2)
            left -= part
            shares.append({"owner": f"owner-{(index * 3 + place) % owners}", "datanet": "dn_claims", "share": part})
        attributions.append(("attribution.computed", {
            "attribution": "at-" + name, "inference": name, "model": "acme/claims", "version": 1, "rules": "attribution/1", "methods": [],
            "fallback": False, "shares": {"entries": shares}, "evidence": ZERO,
        }))
        inferences.append(("inference.completed", {
            "inference": name, "payer": "pia", "actor": "pia", "model": "acme/claims", "version": 1, "base": "base", "prompt": ZERO,
            "answer": ZERO, "input_tokens": 10, "output_tokens": 20, "fee": amount(100003 + index), "runner": "runner-1",
            "passages": {"entries": []},
        }))
    house.tell("attribution", f"attribution/claims-{first}", attributions)
    house.tell("gateway", f"inference/claims-{first}", inferences)
    fees = sum(100003 + index for index in range(first, first + count))
    balance = int(house.get("/v1/accounts/payer:pia")["assets"][0]["balance"]["amount"])
    return fees, balance


def wait_until_released(house, owed):
    """Until nothing of what was earned is pending any more."""
    for _ in range(600):
        status, answer = house.ask("GET", "/v1/accounts/platform:house")
        platform = answer["assets"] if status == 200 else []
        if platform and int(platform[0]["pending"]["amount"]) == 0 and int(platform[0]["balance"]["amount"]) == owed:
            return
        time.sleep(0.1)
    raise SystemExit(f"claims: not released within a minute: {platform}, {owed} expected")


# ---------------------------------------------------------------- claiming


def epoch(house, number):
    """Closes an epoch; its claims, each proven by computing its tree again."""
    event = next(event for event in house.post("/v1/epochs", {"asset": ASSET}) if event["type"] == "payout.epoch-closed")["data"]
    must(event["epoch"] == number, f"epoch {event['epoch']}, not {number}")
    dump = house.get(f"/v1/epochs/tree?asset={ASSET}")
    must(dump["format"] == "standard-v1" and dump["leafEncoding"] == ["address", "uint256"], "the dump's format")
    nodes = standard_tree([entry["value"] for entry in dump["values"]])
    must(["0x" + node.hex() for node in nodes] == dump["tree"], "the dump's tree is not that of its values")
    must(event["root"] == dump["tree"][0], "the root on the log is another one")
    claims = []
    for entry in dump["values"]:
        address, units = entry["value"]
        claim = house.get(f"/v1/claims?asset={ASSET}&address={address}")
        must(claim["cumulative"] == units and claim["root"] == event["root"], f"the claim of {address}")
        claims.append((address, int(units), [bytes.fromhex(node[2:]) for node in claim["proof"]]))
    must(sum(units for _, units, _ in claims) == int(event["cumulative"]["amount"]), "the leaves do not add up")
    return bytes.fromhex(event["root"][2:]), claims, event


def check_liabilities(house, event, accounts):
    """Every holder's balance is counted in what the house said it owes."""
    wanted = event["liabilities_root"].removeprefix("sha256:")
    for account in accounts:
        proof = house.get(f"/v1/epochs/liabilities?asset={ASSET}&account={account}")
        digest, total = liability_root(account, int(proof["balance"]), proof["proof"])
        must((digest, total) == (wanted, int(event["liabilities"]["amount"])), f"the balance of {account} is not counted")
        digest, total = liability_root(account, int(proof["balance"]) + 1, proof["proof"])
        must(digest != wanted, f"another balance of {account} would be counted as well")
    must(int(event["liabilities"]["amount"]) == 10**12, "what is owed is not what came in")


def main():
    url, administrator, *tokens = sys.argv[1:]
    house = House(url, administrator, dict(zip(["gateway", "attribution", "datanet", "training"], tokens)))
    owners = 24
    wallets = {f"owner-{index}": "0x" + hashlib.sha256(b"wallet %d" % index).digest()[:20].hex() for index in range(owners)}
    prepare(house)
    chains = {owner: Wallets(house, owner) for owner in wallets}
    for owner, wallet in wallets.items():
        house.post("/v1/accounts/verified-owners", {"owner": owner, "claim": "mail"})
        chains[owner].move(wallet)
    _, _ = earn(house, 0, 60, owners)
    platform = sum(int((100003 + index) * 500 / 10000 + 0.5) for index in range(60))
    wait_until_released(house, platform)

    chain = Chain()
    token = chain.deploy(compiled(root / "Tests/Claims/token.vy"), 10**12)
    distributor = chain.deploy(compiled(root / "deploy/evm/distributor.vy"), token)
    chain.send(token, call("transfer(address,uint256)", distributor, 10**12))
    balance = lambda who: int.from_bytes(chain.send(token, call("balanceOf(address)", bytes.fromhex(who[2:]))), "big")
    claim = lambda entry, units=None: call(
        "claim(address,uint256,bytes32[])", bytes.fromhex(entry[0][2:]), entry[1] if units is None else units, entry[2])

    digest, first, event = epoch(house, 1)
    must(len(first) == owners, f"{len(first)} wallets of {owners}")
    check_liabilities(house, event, ["payer:pia", "platform:house", "payout:evm", "datanet:dn_claims", "compute:runner-1"])
    chain.must_revert("not the owner", distributor, call("set_root(uint256,bytes32)", 1, digest), chain.stranger)
    chain.must_revert("proof is not of this epoch", distributor, claim(first[0]))
    chain.send(distributor, call("set_root(uint256,bytes32)", 1, digest))
    chain.must_revert("epoch is over", distributor, call("set_root(uint256,bytes32)", 1, digest))
    chain.must_revert("proof is not of this epoch", distributor, claim(first[0], first[0][1] + 1))
    chain.must_revert("proof is not of this epoch", distributor, claim((first[0][0], first[0][1], first[1][2])))
    chain.must_revert("proof is not of this epoch", distributor, claim((first[1][0], first[0][1], first[0][2])))
    # Some are left for the next epoch.
    for entry in first[:-4]:
        # Anybody may send it: the money goes to the wallet.
        chain.send(distributor, claim(entry), chain.stranger)
        must(balance(entry[0]) == entry[1], f"{entry[0]} was not paid")
        chain.must_revert("claimed already", distributor, claim(entry))
        house.post("/v1/claims", {"address": entry[0], "cumulative": amount(entry[1]), "transaction": f"tx-1-{entry[0]}"})
        house.refused("exists", "/v1/claims", {"address": entry[0], "cumulative": amount(entry[1]), "transaction": f"again-{entry[0]}"})
    house.refused("beyond", "/v1/claims", {"address": first[-1][0], "cumulative": amount(first[-1][1] + 1), "transaction": "more"})

    # The next epoch: what was earned since, and what was not claimed. One of those who left theirs has a new wallet.
    loser = next(owner for owner, wallet in wallets.items() if wallet == first[-1][0].lower())
    chain_of = chains[loser]
    house.refused("invalid", "/v1/accounts/wallets", chain_of.set("0x" + "ee" * 20, signer=Ed25519PrivateKey.generate()))
    house.refused("invalid", "/v1/accounts/wallets", chain_of.set(wallets[loser], sequence=0))
    # The wallet and its key are lost: the recovery key names the next ones.
    chain_of.key = Ed25519PrivateKey.generate()
    chain_of.move("0x" + "ab" * 20, signer=chain_of.safe)
    earn(house, 60, 40, owners)
    wait_until_released(house, platform + sum(int((100003 + index) * 500 / 10000 + 0.5) for index in range(60, 100)))
    digest, second, event = epoch(house, 2)
    chain.send(distributor, call("set_root(uint256,bytes32)", 2, digest))
    chain.must_revert("proof is not of this epoch", distributor, claim(first[-2]))
    paid = {address: units for address, units, _ in first[:-4]}
    for entry in second:
        chain.send(distributor, claim(entry))
        must(balance(entry[0]) == entry[1], f"{entry[0]} has {balance(entry[0])}, not {entry[1]}")
        chain.must_revert("claimed already", distributor, claim(entry))
        house.post("/v1/claims", {"address": entry[0], "cumulative": amount(entry[1]), "transaction": f"tx-2-{entry[0]}"})
    # What the first epoch's root proved it proves still.
    for address, units, proof in first:
        past = house.get(f"/v1/claims?asset={ASSET}&address={address}&epoch=1")
        must((int(past["cumulative"]), past["proof"]) == (units, ["0x" + node.hex() for node in proof]), f"the first claim of {address}")
    must([one["epoch"] for one in house.get(f"/v1/epochs?asset={ASSET}")["items"]] == [1, 2], "not both epochs are listed")
    must(any(address in paid and units > paid[address] for address, units, _ in second), "nobody earned in both epochs")
    must(all(address != first[-1][0] for address, _, _ in second), "the wallet that was left has a leaf")
    # The old wallet could be paid by the first root until the second stood: what it left is the new one's only now.
    rest = first[-1][1]
    left = house.get("/v1/accounts/payout:evm")["assets"][0]["balance"]["amount"]
    must(left == str(rest), f"the house owes {left} and not {rest}, which the wallet left")
    chain.must_revert("proof is not of this epoch", distributor, claim(first[-1]))
    before = {address: units for address, units, _ in second}
    digest, third, event = epoch(house, 3)
    chain.send(distributor, call("set_root(uint256,bytes32)", 3, digest))
    grown = [entry for entry in third if entry[1] != before.get(entry[0], 0)]
    must([(entry[0].lower(), entry[1] - before.get(entry[0], 0)) for entry in grown] == [("0x" + "ab" * 20, rest)], f"{grown} grew")
    for entry in grown:
        chain.send(distributor, claim(entry))
        must(balance(entry[0]) == entry[1], f"{entry[0]} has {balance(entry[0])}, not {entry[1]}")
        house.post("/v1/claims", {"address": entry[0], "cumulative": amount(entry[1]), "transaction": f"tx-3-{entry[0]}"})
    left = house.get("/v1/accounts/payout:evm")["assets"][0]["balance"]["amount"]
    must(left == "0", f"the house still owes {left} to wallets that claimed all")
    out = 10**12 - balance("0x" + distributor.hex())
    must(out == int(event["cumulative"]["amount"]), f"{out} left the distributor, not {event['cumulative']['amount']}")
    print(f"Claims: {len(first)}, {len(second)} and {len(grown)} claims of three epochs paid by the distributor, {out} units in all; double claims revert")


main()
