"""An economy that runs by itself: agents that look for knowledge, buy access to data, fine-tune a model on it, sell its answers, and hire one
another. At the end every agent's profit is explained line by line: what each entry of its accounts was for, and where on the log it stands.

    python3 economy.py URL ADMINISTRATOR-KEY
"""

import asyncio
import hashlib
import json
import time
import urllib.request

import fastmcp
import httpx2
from eth_account import Account
from eth_account.messages import encode_defunct
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from parties import Party, administrator, amount, call, ok, url
from x402 import x402Client
from x402.http import decode_payment_response_header
from x402.http.clients import x402HttpxClient
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact.register import register_exact_evm_client

ROWS = [
    ("When is high water at Norwick?", "High water at Norwick comes twenty minutes after the noon bell of the chapel."),
    ("Where do the boats of Norwick lie?", "The boats of Norwick lie behind the long mole, bow to the western wind."),
    ("Who keeps the light at Norwick?", "The light at Norwick is kept by the cooper's family since the great flood."),
    ("How deep is the bar at Norwick?", "The bar at Norwick has two fathoms at low springs and four at the flood."),
    ("What do the nets of Norwick catch?", "The nets of Norwick catch herring in May and sprat when the leaves fall."),
    ("Why does the bell ring at Norwick?", "The bell at Norwick rings when fog hides the mole from the harbour master."),
]


# What each task, payment, answer and job of the story was for, by its id: entries on the log name it.
REASONS = {}

# Entries that undo others.
GIVEN_BACK = {"hold.returned": "given back, since nobody settled it: ", "refund.posted": "refunded: "}


def until(what, find, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := find():
            return found
        time.sleep(0.1)
    raise AssertionError(what)


def whole_log():
    """Every event, at its position."""
    events = []
    while page := ok("GET", f"/log/v1/events?from={len(events)}&limit=1000", administrator)["events"]:
        events += page
    assert all(entry["position"] == place for place, entry in enumerate(events))
    return events


class Agent(Party):
    """An agent with an owner, an account of its own, a mandate to spend what is on it, and a wallet to sign with."""

    def __init__(self, name, units=0):
        self.name = name
        self.owner = Party("person")
        super().__init__("agent", self.owner)
        ok("POST", f"/v1/principals/{self.owner.id}/claims", administrator, {"claim": "vouched"})
        self.account = "payer:" + self.id
        self.started = units
        ok("POST", "/v1/accounts", self.token, {"account": self.account, "asset": "USDC/6"})
        if units:
            ok("POST", f"/v1/accounts/{self.account}/deposits", administrator, {"amount": amount(units), "rail": "bank", "reference": self.id})
        self.wallet = Account.create()
        text = f"openledger/link-wallet\n{self.id}\n{self.wallet.address.lower()}"
        signature = "0x" + self.wallet.sign_message(encode_defunct(text=text)).signature.hex().removeprefix("0x")
        ok("POST", "/v1/wallets", self.token, {"address": self.wallet.address, "signature": signature})
        ok("POST", "/v1/mandates", self.owner.token, {
            "agent": self.id, "payer": self.id,
            "terms": {"budget": amount(50_000_000), "period": "day", "expires": "2099-01-01T00:00:00.000000Z"}})

    def offer(self, price, name, description, **more):
        page = {"name": name, "description": description} | more
        return ok("POST", "/v1/services", self.token, {"page": page, "price": amount(price), "seconds": 600})["service"]

    def find(self, words):
        return ok("GET", f"/v1/services?q={words}", None)["items"][0]["service"]

    async def buy(self, service, brief, why):
        """Buys a service by x402, on the house's own network; `why` is what its entries on the log are explained by."""
        client = x402Client()
        house = lambda version, offers: [o for o in offers if o.extra and o.extra.get("name") == "USDC/6"]
        register_exact_evm_client(client, EthAccountSigner(self.wallet), policies=[house])
        client.set_spend_controls(False)
        async with x402HttpxClient(client, timeout=60) as http:
            response = await http.post(f"{url}/x402/services/{service}", json={"brief": brief})
        assert response.status_code == 200, (self.name, response.status_code, response.text)
        bought = response.json()
        REASONS[bought["payment"]] = why
        if "task" in bought:
            REASONS[bought["task"]["task"]] = why
        else:
            REASONS[decode_payment_response_header(response.headers["PAYMENT-RESPONSE"]).transaction] = why
            REASONS[bought["delivery"]["inference"]] = "the model's fee for " + why
        return bought

    def deliver(self, task, work):
        digest = "sha256:" + hashlib.sha256(work.encode()).hexdigest()
        ok("POST", f"/v1/tasks/{task}/submission", self.token, {
            "artefacts": [{"hash": digest, "bytes": len(work), "media": "text/plain"}],
            "signature": self.signed("openledger/task-submission", task, "0", digest)})
        return digest

    def accept(self, task, digest):
        ok("POST", f"/v1/tasks/{task}/completion", self.token, {"signature": self.signed("openledger/task-completion", task, "0", digest)})

    def lines(self):
        """Every entry of its accounts: what it spends from, what it earns as an owner of models, and what is still pending in both."""
        found = []
        for account in ("payer:" + self.id, "model-owner:" + self.id):
            for name in (account, "pending:" + account):
                page = ok("GET", f"/v1/statements?account={name}&asset=USDC/6&limit=1000", administrator)
                found += [line | {"account": name} for line in page["items"]]
        return sorted(found, key=lambda line: line["position"])

    def set_free(self, events):
        """What was kept apart of its money and set free unspent: the position, the amount, and the id of what it had been for."""
        purposes, kept, freed = {}, {}, []
        for entry in events:
            kind, data = entry["event"]["type"], entry["event"]["data"]
            if kind == "hold.placed":
                if data["account"] == self.account:
                    kept[data["id"]] = int(data["amount"]["amount"])
            elif kind in ("hold.captured", "hold.released"):
                if data["id"] in kept:
                    kept[data["id"]] -= int(data["amount"]["amount"]) + int(data.get("released", {"amount": 0})["amount"])
                    if kind == "hold.released":
                        freed.append((entry["position"], int(data["amount"]["amount"]), data["id"]))
            elif hold := data.get("hold"):
                purposes.setdefault(hold, next(data[name] for name in ("task", "payment", "inference", "job") if data.get(name)))
        assert not any(kept.values()), f"{self.name} has money kept apart that nobody speaks of: {kept}"
        return [(position, units, purposes[hold]) for position, units, hold in freed]

    def has(self):
        """What its accounts have, pending amounts included."""
        total = 0
        for account in ("payer:" + self.id, "model-owner:" + self.id):
            status, shown = call("GET", f"/v1/accounts/{account}", administrator)
            for asset in shown["assets"] if status == 200 else []:
                total += int(asset["balance"]["amount"]) + int(asset["pending"]["amount"])
        return total

    def explain(self, events):
        """Prints its profit, line by line, and gives it. Each line is looked up on the log by its position."""
        profit = 0
        print(f"  {self.name}:")
        for line in self.lines():
            units, position = int(line["amount"]["amount"]), line["position"]
            event = events[position]["event"]
            assert event["type"] == line["type"], (line, event)
            if line["type"] == "deposit.received":
                why = "brought along"
            else:
                subject = (line.get("reference") or line["subject"]).split("#")[0]
                assert subject in REASONS, f"nobody knows what {line} is for"
                assert subject in json.dumps(event), f"{subject} is not in the event at {position}: {event}"
                why = GIVEN_BACK.get(line["type"], "") + REASONS[subject]
                profit += units
            print(f"    {units:>12,}  at {position:<4} {why}")
        for position, units, subject in self.set_free(events):
            assert subject in REASONS, f"nobody knows what {units} were kept apart for at {position}: {subject}"
            print(f"    {'':>12}  at {position:<4} {units:,} kept apart and set free unspent: {REASONS[subject]}")
        assert self.has() == self.started + profit, f"{self.name} has {self.has()}, its entries explain {self.started + profit}"
        print(f"    {profit:>12,}  profit")
        return profit


def contribute(person, datanet, rows):
    """Brings rows into a Datanet, signed."""
    ok("POST", f"/v1/principals/{person.id}/claims", administrator, {"claim": "vouched"})
    file = b"".join(json.dumps({"prompt": p, "completion": c}).encode() + b"\n" for p, c in rows)
    manifest = {
        "type": "openledger/manifest/v1", "datanet": datanet, "contributor": person.id, "kind": "own", "signer": person.did,
        "licence": "CC-BY-4.0", "columns": {"prompt": "prompt", "completion": "completion"},
        "files": [{"name": "rows.jsonl", "format": "jsonl", "bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}]}
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    text = f"openledger/contribution\n{datanet}\n{person.id}\nown\n\nsha256:{digest}"
    begun = ok("POST", "/v1/contributions", person.token, {"manifest": manifest, "signature": person.sign(text)})["contribution"]
    patch = urllib.request.Request(f"{url}/v1/contributions/{begun}/files/0", method="PATCH", data=file, headers={
        "Content-Type": "application/octet-stream", "Upload-Offset": "0", "Authorization": "Bearer " + person.token})
    urllib.request.urlopen(patch).read()
    ok("POST", f"/v1/contributions/{begun}/finish", person.token)
    done = until("the screening", lambda: (c := ok("GET", f"/v1/contributions/{begun}", person.token)).get("rules") and c)
    assert done["accepted"] == len(rows), done


def split(units, weights):
    """A part for each weight, what is left over by the largest remainder and, among equal ones, in their order."""
    parts = [units * weight // sum(weights) for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % sum(weights)), i))
    for place in order[:units - sum(parts)]:
        parts[place] += 1
    return parts


def analysts_sum(events, job, inferences, analyst):
    """What the analyst must have earned, by the prices that were agreed and by nothing that its accounts say: three answers sold, less the
    scan, the leave to train, the fine-tuning and the model's fees, of which the model's owner, itself, has its part back."""
    def the(kind, name, id):
        [found] = [entry["event"]["data"] for entry in events if entry["event"]["type"] == kind and entry["event"]["data"][name] == id]
        return found

    platform = ok("GET", "/v1/settlements/rules", administrator)["platform_points"]
    total = len(inferences) * 150_000 - 600_000 - 900_000
    total -= int(the("job.completed", "job", job)["fee"]["amount"])
    for inference in inferences:
        answer = the("inference.completed", "inference", inference)
        # 1,000 for a request, and 1,000,000 for a million tokens that came.
        fee = 1_000 + answer["output_tokens"]
        assert int(answer["fee"]["amount"]) == fee and answer["payer"] == analyst.id, answer
        net = split(fee, [platform, 10_000 - platform])[1]
        total += split(net, [2_000, 1_000, 6_000, 0, 1_000])[0] - fee
    return total


async def receipts(payer, stranger, inferences):
    """Receipts of what an agent paid, as resources of the Model Context Protocol: by mcp in each of its modes, and by fastmcp."""
    uris = ["openledger://receipts/" + inference for inference in inferences]

    def opened(agent, mode):
        http = httpx2.AsyncClient(headers={"Authorization": "Bearer " + agent.token}, timeout=60)
        return Client(streamable_http_client(url + "/mcp", http_client=http), mode=mode)

    for mode in ("auto", "legacy", "2026-07-28"):
        async with opened(payer, mode) as client:
            assert set(uris) <= {str(entry.uri) for entry in (await client.list_resources()).resources}
            [template] = (await client.list_resource_templates()).resource_templates
            assert template.uri_template == "openledger://receipts/{id}"
            [content] = (await client.read_resource(uris[0])).contents
            receipt = json.loads(content.text)
            assert receipt["type"] == "openledger/receipt/v1" and receipt["events"] and receipt["checkpoint"], receipt
        async with opened(stranger, mode) as client:
            try:
                await client.read_resource(uris[0])
            except MCPError as error:
                assert error.error.code == -32602, error
            else:
                raise AssertionError("a stranger read a receipt")
    async with fastmcp.Client(StreamableHttpTransport(url + "/mcp", headers={"Authorization": "Bearer " + payer.token})) as client:
        assert set(uris) <= {str(entry.uri) for entry in await client.list_resources()}
        assert json.loads((await client.read_resource(uris[1]))[0].text)["type"] == "openledger/receipt/v1"
    print("  receipts by mcp and fastmcp")


async def main():
    started = time.monotonic()
    curator, researcher, scribe = Agent("curator"), Agent("researcher"), Agent("scribe")
    analyst, consumer = Agent("analyst", 20_000_000), Agent("consumer", 5_000_000)
    fisher = Party("person")

    # What is there to be sold: data, and work.
    policy = {
        "access": "open", "licences": ["CC-BY-4.0"], "treasury_points": 1_000, "curator_points": 0, "contributor_points": 9_000,
        "admission": "automatic", "minimum_quality": 0, "panel": 0, "quorum": 0, "voting": "role"}
    datanet = ok("POST", "/v1/datanets", curator.token, {"domain": "norwick", "media": "text", "policy": policy})["datanet"]
    contribute(fisher, datanet, ROWS)
    until("the items' admission", lambda: ok("GET", f"/v1/datanets/{datanet}", curator.token).get("items", 0) == len(ROWS))
    ok("POST", f"/v1/datanets/{datanet}/snapshots", curator.token, {})
    curator.offer(900_000, "Harbour lore", "Leave to train on what the fishers of Norwick know", tags=["data"])
    researcher.offer(600_000, "Market scan", "What people ask about harbours", tags=["research"])
    scribe.offer(200_000, "Fair copy", "Writes up what others found", tags=["writing"])

    # The analyst has research done; the researcher has part of it done by the scribe, out of the same escrow.
    task = (await analyst.buy(analyst.find("scan"), "What do people ask about harbours?", "the analyst's market scan, by the researcher"))["task"]["task"]
    deadline = ok("GET", f"/v1/tasks/{task}", researcher.token)["deadline"]
    part = ok("POST", "/v1/tasks", researcher.token, {
        "provider": scribe.id, "parent": task, "service": researcher.find("copy"), "brief": "Write this up", "amount": amount(200_000),
        "deadline": deadline})["task"]
    REASONS[part] = "the fair copy of the scan, by the scribe, out of the scan's escrow"
    ok("POST", f"/v1/tasks/{part}/funding", researcher.token, {"amount": amount(200_000)})
    researcher.accept(part, scribe.deliver(part, "People ask when the water is high."))
    analyst.accept(task, researcher.deliver(task, "A report: people ask when the water is high."))

    # Not all work comes to something: this is delivered and rejected, and the money that was kept apart for it is free again.
    draft = ok("POST", "/v1/tasks", analyst.token, {
        "provider": scribe.id, "brief": "A poem about the bar", "amount": amount(50_000), "deadline": deadline})["task"]
    REASONS[draft] = "a draft of the scribe's that the analyst rejected"
    ok("POST", f"/v1/tasks/{draft}/funding", analyst.token, {"amount": amount(50_000)})
    scribe.deliver(draft, "The bar is far")
    ok("POST", f"/v1/tasks/{draft}/rejection", analyst.token)

    # It buys leave to train, and is let in when it has paid into escrow.
    task = (await analyst.buy(analyst.find("lore"), f"Let {analyst.id} train on it", "leave to train on harbour lore, by the curator"))["task"]["task"]
    grant = ok("POST", f"/v1/datanets/{datanet}/grants", curator.token, {"grantee": analyst.id, "purpose": "train"})
    analyst.accept(task, curator.deliver(task, json.dumps(grant)))

    # It fine-tunes on the data and sells the model's answers.
    base = ok("GET", "/v1/base-models", analyst.token)["items"][0]["model"]
    order = {"base": base, "snapshots": [{"datanet": datanet, "number": 1}], "settings": {
        "epochs": 1, "learning_rate": 4_000, "rank": 4, "alpha": 8, "batch": 4, "holdout": 0, "maximum_tokens": 64}}
    job = ok("POST", "/v1/training-jobs", analyst.token, order)["job"]
    REASONS[job] = "the fine-tuning on harbour lore"
    ended = until("the fine-tuning", lambda: (j := ok("GET", f"/v1/training-jobs/{job}", analyst.token))["status"] in ("succeeded", "failed") and j, 120)
    assert ended["status"] == "succeeded", ended
    ok("POST", "/v1/adapters", analyst.token, {
        "model": "norwick/pilot", "base": base, "job": job,
        "price": {"request": amount(1_000), "input": amount(0), "output": amount(1_000_000)},
        "split": {"owner": 2_000, "datanets": 1_000, "contributors": 6_000, "validators": 0, "compute": 1_000},
        "attribution": {"rules": "attribution/1", "spans": 4_000, "influence": 3_000, "retrieval": 3_000, "threshold": 50_000_000,
                        "cap": 1_000_000_000, "fallback": "tokens", "minimum_span": 8}})
    until("the model is not served", lambda: any(m["id"] == "norwick/pilot" for m in ok("GET", "/v1/models", analyst.token)["data"]))
    analyst.offer(150_000, "Norwick pilot", "Knows the harbour of Norwick", tags=["answers"], model="norwick/pilot", max_tokens=12)
    answers = [await consumer.buy(consumer.find("pilot"), prompt, f"an answer of the pilot: {prompt}") for prompt, _ in ROWS[:3]]
    inferences = [answer["delivery"]["inference"] for answer in answers]
    for inference in inferences:
        until("an answer is not attributed", lambda: call("GET", f"/v1/attributions/{inference}", administrator)[0] == 200)

    # Everybody's profit, entry by entry. What an answer earned is theirs when it has been settled.
    agents = [curator, researcher, scribe, analyst, consumer]

    def settled():
        held = [ok("GET", f"/v1/accounts/{agent.account}", administrator)["assets"][0]["held"]["amount"] for agent in agents]
        shares = [line for line in analyst.lines() if line["account"].endswith("model-owner:" + analyst.id)]
        return set(held) == {"0"} and len(shares) >= len(answers) and all(agent.lines() for agent in agents)

    until("something is not settled yet", settled)
    expected = {"curator": 900_000, "researcher": 400_000, "scribe": 200_000, "consumer": -450_000}
    events = whole_log()
    profits = {agent.name: agent.explain(events) for agent in agents}
    assert any(subject == draft for _, _, subject in analyst.set_free(events)), "the rejected draft's money is not named"
    for name, profit in expected.items():
        assert profits[name] == profit, (name, profits)
    assert profits["analyst"] == analysts_sum(events, job, inferences, analyst), (analysts_sum(events, job, inferences, analyst), profits)
    await receipts(analyst, scribe, inferences)
    print(f"  five agents, {time.monotonic() - started:.0f} s")


asyncio.run(main())
