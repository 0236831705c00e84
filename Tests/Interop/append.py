"""Appends a mixed log through REST as a client of another language would: bytes, ids and digests are made here.

    python3 append.py URL COUNT BILLING-TOKEN DATANET-TOKEN TRAINING-TOKEN

Some appends are of one event and some of many, over one stream and over several, with and without an expected version; some come
twice, some name a stream's version wrongly, some are reactions to earlier events. Exits 1 when an answer is not what it must be.
"""

import datetime
import hashlib
import http.client
import json
import random
import sys
import urllib.parse

KINDS = {
    "billing": [("account.opened", "account"), ("deposit.received", "account"), ("hold.placed", "hold"), ("settlement.posted", "settlement")],
    "datanet": [("datanet.created", "datanet"), ("review.voted", "review"), ("snapshot.published", "snapshot")],
    "training": [("job.requested", "job"), ("job.completed", "job"), ("model.published", "model")],
}


def canonical(value):
    """RFC 8785 for what stands in events: sorted keys, whole numbers, no blanks. Keys here are ASCII, so bytes sort as UTF-16 does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def event_id(cause, kind, ordinal):
    digest = bytearray(hashlib.sha256(f"openledger/event\n{cause}\n{kind}\n{ordinal}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Ledger:
    def __init__(self, url, tokens):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
        self.tokens = tokens

    def ask(self, service, body):
        headers = {"Authorization": "Bearer " + self.tokens[service], "Content-Type": "application/json"}
        self.connection.request("POST", "/log/v1/append", body, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def body(events, expected=None, cause_position=None):
    members = [b'"events":[' + b",".join(events) + b"]"]
    if expected:
        members.append(b'"expected":' + canonical(expected))
    if cause_position is not None:
        members.append(b'"cause_position":%d' % cause_position)
    return b"{" + b",".join(members) + b"}"


def must(condition, what):
    if not condition:
        sys.exit(f"append.py: {what}")


def main(url, count, *tokens):
    dice = random.Random(20261121)
    ledger = Ledger(url, dict(zip(("billing", "datanet", "training"), tokens)))
    versions, size, number, last = {}, 0, 0, None
    while size < count:
        service = dice.choice(list(KINDS))
        number += 1
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        many = dice.choice([1, 1, 1, 2, 3, 40])
        reacts = last is not None and dice.random() < 0.2
        if reacts:
            cause, cause_id, time = {"event": last[0]}, last[0], last[1]
        else:
            cause_id = f"interop-{number}"
            cause, time = {"command": cause_id, "digest": "sha256:" + hashlib.sha256(cause_id.encode()).hexdigest()}, now
        events, streams = [], []
        for ordinal in range(many):
            kind, noun = dice.choice(KINDS[service])
            stream = f"{noun}/{dice.randrange(60)}"
            streams.append(stream)
            data = {"n": size + ordinal, "note": "Grüße, 世界 \"\\ \u0001"[: dice.randrange(14)], "amount": {"asset": "USDC/6", "amount": str(dice.randrange(10**12))}}
            events.append(
                canonical(
                    {
                        "actor": f"{service}-bot", "cause": cause, "correlation": "0af7651916cd43dd8448eb211c80319c", "data": data,
                        "id": event_id(cause_id, kind, ordinal), "stream": stream, "time": time, "type": kind, "v": 1,
                    }
                )
            )
        first = streams[0]
        expected = {first: versions.get(first, 0)} if dice.random() < 0.5 else None
        message = body(events, expected, last[2] if reacts else None)
        if dice.random() < 0.02:
            status, answer = ledger.ask(service, body(events, {first: versions.get(first, 0) + 7}, last[2] if reacts else None))
            must(status == 409 and answer["type"] == "/problems/wrong-version", f"a wrong version was answered {status} {answer}")
        status, answer = ledger.ask(service, message)
        must(status == 201, f"append {number} was answered {status} {answer}")
        must(answer["position"] == size, f"append {number} stands at {answer['position']}, not {size}")
        for entry, stream in zip(answer["events"], streams):
            must(entry["version"] == versions.get(stream, 0), f"{stream} got version {entry['version']}")
            versions[stream] = versions.get(stream, 0) + 1
        if dice.random() < 0.05:
            must(ledger.ask(service, message) == (201, answer), f"append {number} was not answered as at first")
        if not reacts:
            last = (answer["events"][0]["id"], time, size)
        else:
            last = None
        size += many
    print(f"{size} events in {number} appends")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
