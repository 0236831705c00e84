"""What the checks of Datanets share: people with keys of their own, and calls of the public REST interface, with nothing of ours."""

import base64
import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status = status
        self.problem = json.loads(text) if text.startswith("{") else {}


def canonical(value):
    """RFC 8785 for what occurs here: ASCII member names and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_sign(manifest):
    """What a contributor signs of a manifest."""
    names = ["openledger/contribution", manifest["datanet"], manifest["contributor"], manifest["kind"], manifest.get("supersedes", "")]
    return "\n".join([*names, "sha256:" + hashlib.sha256(canonical(manifest)).hexdigest()]).encode()


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class House:
    def __init__(self, url):
        self.url = url

    def send(self, method, path, token=None, data=None, headers=()):
        fields = {"Content-Type": "application/json", **dict(headers)}
        if method != "GET":
            fields.setdefault("Idempotency-Key", str(uuid.uuid4()))
        if token:
            fields["Authorization"] = "Bearer " + token
        request = urllib.request.Request(self.url + path, data=data, headers=fields, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from None

    def call(self, method, path, token=None, body=None):
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self.send(method, path, token, data) or b"null")

    def all(self, path, token=None):
        """All rows of a paged list."""
        rows, cursor = [], None
        while True:
            more = {"limit": 500} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", path + ("&" if "?" in path else "?") + urllib.parse.urlencode(more), token)
            rows += page["items"]
            cursor = page.get("next")
            if not cursor:
                return rows


def wait(what, ask, seconds=900):
    """Asks until there is an answer."""
    end = time.time() + seconds
    while time.time() < end:
        found = ask()
        if found is not None:
            return found
        time.sleep(0.1)
    raise SystemExit(f"waited {seconds} s for {what}")


class Person:
    """Somebody with a key, a principal and a token."""

    def __init__(self, house, kind="person"):
        self.house, self.key = house, Ed25519PrivateKey.generate()
        self.did = "did:key:z" + base58(b"\xed\x01" + self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        signature = self.sign(f"openledger/register\n{kind}\n{self.did}\n".encode())
        answer = house.call("POST", "/v1/principals", body={"kind": kind, "key": self.did, "signature": signature})
        self.principal = answer["principal"]
        self.sign_in(house)

    def sign(self, message):
        return base64url(self.key.sign(message))

    def sign_in(self, house):
        self.house = house
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000000Z"
        proof = self.sign(f"openledger/sign-in\n{self.principal}\n{self.did}\n{now}".encode())
        body = {"principal": self.principal, "key": self.did, "time": now, "signature": proof}
        self.token = house.call("POST", "/v1/keys/token", body=body)["token"]

    def call(self, method, path, body=None):
        return self.house.call(method, path, self.token, body)

    def all(self, path):
        return self.house.all(path, self.token)

    def contribute(self, datanet, rows, kind="own", licence=None):
        """Signs for rows, uploads them in two parts, and waits for their verdicts."""
        data = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        manifest = {
            "type": "openledger/manifest/v1", "datanet": datanet, "contributor": self.principal, "kind": kind, "signer": self.did,
            "files": [{"name": "rows.jsonl", "format": "jsonl", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}],
            "columns": {
                "prompt": "prompt", "completion": "completion", "text": "text", "title": "topic", "source": "source",
                "author": "contributor", "licence": "license"},
        }
        if licence:
            manifest["licence"] = licence
        begun = self.call("POST", "/v1/contributions", {"manifest": manifest, "signature": self.sign(to_sign(manifest))})
        contribution = begun["contribution"]
        middle = len(data) // 2
        for start, end in ((0, middle), (middle, len(data))):
            self.house.send(
                "PATCH", f"/v1/contributions/{contribution}/files/0", self.token, data[start:end],
                {"Content-Type": "application/octet-stream", "Upload-Offset": str(start)})
        self.call("POST", f"/v1/contributions/{contribution}/finish")

        def settled():
            now = self.call("GET", f"/v1/contributions/{contribution}")
            return now if now["state"] in ("done", "failed") else None

        done = wait(f"the screening of {len(rows)} rows", settled)
        if done["state"] != "done":
            raise SystemExit(f"{contribution} failed: {done['problem']}")
        items = self.all(f"/v1/contributions/{contribution}/items")
        if len(items) != len(rows):
            raise SystemExit(f"{contribution} has {len(items)} items of {len(rows)} rows")
        return contribution, items
