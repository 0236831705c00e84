#!/usr/bin/env python3
"""Verifies one .tlog-proof file of an OpenLedger log with Python's standard library and nothing else.

    python3 verify.py FILE.tlog-proof VKEY [EVENT-FILE]

VKEY is the log's verifier key, from somebody you trust. The event is taken from the proof's "extra" line unless its file is given.
The format is described in README.md beside this file. Exit status: 0 the proof holds, 1 it does not, 2 usage.
"""

import base64
import binascii
import hashlib
import json
import sys

# Ed25519 (RFC 8032), by the book: slow and short. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class Bad(Exception):
    """The proof does not hold."""


class Missing(Bad):
    """A key that is believed did not sign."""


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise Bad("a point is not in its one form")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        raise Bad("a point is not on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(key, signature, message):
    if len(signature) != 64 or len(key) != 32:
        return False
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return s < ORDER and same(times(s, BASE), add(r, times(h, a)))


def decode(text):
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Bad("not base64: " + text[:40]) from None
    if base64.b64encode(data).decode() != text:
        raise Bad("not base64 in its one form: " + text[:40])
    return data


def number(text):
    if not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise Bad("not a decimal number: " + text[:40])
    return int(text)


def open_checkpoint(note, vkey):
    """Gives (origin, size, root) of a checkpoint that the key signed."""
    name, key_id, blob = vkey.split("+", 2)
    blob = decode(blob)
    digest = hashlib.sha256(name.encode() + b"\n" + blob).digest()
    if digest[:4].hex() != key_id or len(blob) != 33 or blob[0] not in (1, 4):
        raise Bad("the verifier key is malformed")
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise Bad("the checkpoint is no signed note")
    text += "\n"
    good = 0
    for line in signatures[:-1].split("\n"):
        dash, signer, payload = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        payload = decode(payload)
        if dash != "\u2014" or not signer or "+" in signer or len(payload) < 5:
            raise Bad("the checkpoint has a line that is no signature")
        if signer != name or payload[:4] != digest[:4]:
            continue
        payload, message = payload[4:], text.encode()
        if blob[0] == 4:  # A cosignature: eight bytes of time, then the signature over the time and the text.
            time = int.from_bytes(payload[:8], "big")
            payload, message = payload[8:], f"cosignature/v1\ntime {time}\n".encode() + message
        if not ed25519(blob[1:], payload, message):
            raise Bad("the signature by " + name + " is wrong")
        good += 1
    if not good:
        raise Missing("no signature by " + name)
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or "" in lines[:-1]:
        raise Bad("the checkpoint has not three lines")
    if blob[0] == 1 and lines[0] != name:
        raise Bad("the checkpoint is of " + lines[0] + ", the key of " + name)
    return lines[0], number(lines[1]), decode(lines[2])


def policy(text):
    """Reads a policy (C2SP tlog-policy): (the logs' keys, the witnesses' keys by name, groups by name, the quorum's name)."""
    logs, witnesses, groups, quorum = [], {}, {}, None
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("witness", "group") and (len(words) < 3 or words[1] in witnesses or words[1] in groups or words[1] == "none"):
            raise Bad("the policy has a name twice, or a line that is too short: " + line)
        if words[0] == "log" and len(words) in (2, 3):
            logs.append(words[1])
        elif words[0] == "witness" and len(words) in (3, 4):
            witnesses[words[1]] = words[2]
        elif words[0] == "group" and len(words) > 3:
            members = words[3:]
            known = {name for name in (*witnesses, *groups)} - {name for _, those in groups.values() for name in those}
            least = {"all": len(members), "any": 1}.get(words[2]) or number(words[2])
            if not set(members) <= known or len(set(members)) != len(members) or not 1 <= least <= len(members):
                raise Bad("the policy has a group that cannot be: " + line)
            groups[words[1]] = (least, members)
        elif words[0] == "quorum" and len(words) == 2 and quorum is None and words[1] in ("none", *witnesses, *groups):
            quorum = words[1]
        else:
            raise Bad("the policy has a line that is none: " + line)
    if quorum is None:
        raise Bad("the policy has no quorum")
    return logs, witnesses, groups, quorum


def open_by(note, vkeys=(), rules=None):
    """Gives (origin, size, root) of a checkpoint that one of the log's keys signed, and enough of a policy's witnesses."""
    logs, witnesses, groups, quorum = policy(rules) if rules is not None else ([], {}, {}, "none")
    keys = list(vkeys) or logs
    if not keys and quorum == "none":
        raise Bad("nothing says whose signature to believe")
    found = None
    for key in keys:
        if key.split("+")[0] == note.split("\n")[0]:
            try:
                found = open_checkpoint(note, key)
            except Missing:
                continue
    if keys and not found:
        raise Bad("no key of the log signed the checkpoint")
    good = set()
    for name, key in witnesses.items():
        try:
            found = open_checkpoint(note, key)
            good.add(name)
        except Bad:
            continue

    def met(name):
        return name in good if name in witnesses else sum(map(met, groups[name][1])) >= groups[name][0]

    if quorum != "none" and not met(quorum):
        raise Bad("its cosignatures do not make the policy's quorum; good ones: " + (", ".join(sorted(good)) or "none"))
    return found


def climb(leaf, index, size, path):
    """The root that a leaf and its inclusion proof lead to (RFC 9162, section 2.1.3.2)."""
    if index >= size:
        raise Bad(f"position {index} is not in a tree of {size}")
    node, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Bad("the proof is too long")
        if node & 1 or node == last:
            result = hashlib.sha256(b"\x01" + sibling + result).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\x01" + result + sibling).digest()
        node, last = node >> 1, last >> 1
    if last:
        raise Bad("the proof is too short")
    return result


def verify(proof, vkey, event=None):
    """Gives (event, position, origin, size), or raises Bad."""
    head, gap, note = proof.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Bad("not a proof file of version 1")
    if lines and lines[0].startswith("extra "):
        extra = decode(lines.pop(0)[6:])
        event = extra if event is None else event
    if event is None:
        raise Bad("the proof carries no event: give its file")
    if not lines or not lines[0].startswith("index "):
        raise Bad("no index line")
    index = number(lines.pop(0)[6:])
    path = [decode(line) for line in lines]
    if len(path) > 63 or any(len(hash) != 32 for hash in path):
        raise Bad("a hash has not 32 bytes, or there are too many")
    origin, size, root = open_checkpoint(note, vkey)
    if climb(hashlib.sha256(b"\x00" + event).digest(), index, size, path) != root:
        raise Bad("event and proof do not lead to the signed root")
    return event, index, origin, size


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8", newline="") as file:
            proof = file.read()
        given = None
        if len(arguments) == 3:
            with open(arguments[2], "rb") as file:
                given = file.read()
    except (OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        event, index, origin, size = verify(proof, arguments[1], given)
    except (Bad, ValueError) as error:
        print(f"THE PROOF DOES NOT HOLD: {error}", file=sys.stderr)
        return 1
    try:
        fields = json.loads(event)
        print(f"event     {fields['type']}, id {fields['id']}, at {fields['time']}, by {json.dumps(fields['actor'])}")
    except (ValueError, KeyError, TypeError):
        print(f"entry     {len(event)} bytes")
    print(f"position  {index} of {size} in {origin}\nThe proof holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
