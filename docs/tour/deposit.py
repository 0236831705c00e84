"""Prints the body of an append: one event by billing, made as a client in any language would make it.

    python3 docs/tour/deposit.py COMMAND-ID STREAM AMOUNT > deposit.json

The same command id again is the same command: the ledger answers as it did the first time. Needs nothing but Python 3.
"""

import datetime
import hashlib
import json
import sys


def canonical(value):
    """RFC 8785, for objects whose keys are ASCII and whose numbers are whole."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def event_id(cause, kind, ordinal):
    """A UUIDv8 out of what caused the event, so that the same cause always makes the same id."""
    digest = bytearray(hashlib.sha256(f"openledger/event\n{cause}\n{kind}\n{ordinal}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


command, stream, amount = sys.argv[1:]
data = {"amount": {"amount": amount, "asset": "USDC/6"}}
event = {
    "actor": "tour",
    "cause": {"command": command, "digest": "sha256:" + hashlib.sha256(canonical([stream, data]).encode()).hexdigest()},
    "correlation": "tour",
    "data": data,
    "id": event_id(command, "deposit.received", 0),
    "stream": stream,
    "time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    "type": "deposit.received",
    "v": 1,
}
print(f'{{"events":[{canonical(event)}]}}')
