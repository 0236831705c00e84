"""People and agents of a running house: who they are, what they sign, and the calls that they make."""

import base64
import json
import sys
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

url, administrator = sys.argv[1], sys.argv[2]


def call(method, path, token, body=None, headers=None):
    request = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    if method != "GET":
        request.add_header("Idempotency-Key", str(uuid.uuid4()))
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def ok(method, path, token, body=None, headers=None):
    status, answer = call(method, path, token, body, headers)
    assert status < 300, f"{method} {path}: {status} {answer}"
    return answer


ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


class Party:
    def __init__(self, kind, owner=None):
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.did = "did:key:z" + base58(b"\xed\x01" + public)
        text = "\n".join(["openledger/register", kind, self.did, owner.id if owner else ""])
        body = {"kind": kind, "key": self.did, "signature": self.sign(text)}
        if owner:
            body |= {"owner": owner.id, "owner_key": owner.did, "owner_signature": owner.sign(text)}
        self.id = ok("POST", "/v1/principals", None, body)["principal"]
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = "\n".join(["openledger/sign-in", self.id, self.did, now])
        self.token = ok("POST", "/v1/keys/token", None, {"principal": self.id, "key": self.did, "time": now, "signature": self.sign(text)})["token"]

    def sign(self, text):
        return base64.urlsafe_b64encode(self.key.sign(text.encode())).rstrip(b"=").decode()

    def signed(self, *lines):
        return {"key": self.did, "signature": self.sign("\n".join(lines))}


def amount(units):
    return {"asset": "USDC/6", "amount": str(units)}
