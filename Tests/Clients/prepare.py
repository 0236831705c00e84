"""Registers somebody with a key of their own, gives them money and an API key, and publishes a base model to ask."""

import base64
import json
import subprocess
import sys
import time
import urllib.request
import uuid

URL, ADMINISTRATOR, FOLDER = sys.argv[1:4]


def call(method, path, body=None, key=None):
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    if key:
        headers["Authorization"] = "Bearer " + key
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data=data, headers=headers, method=method)) as answer:
        return json.loads(answer.read() or b"null")


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


def sign(text):
    with open(FOLDER + "/message", "w", encoding="utf-8") as file:
        file.write(text)
    signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", FOLDER + "/person.pem", "-in", FOLDER + "/message")
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


openssl("genpkey", "-algorithm", "ed25519", "-out", FOLDER + "/person.pem")
public = openssl("pkey", "-in", FOLDER + "/person.pem", "-pubout", "-outform", "DER")[-32:]
did = "did:key:z" + base58(b"\xed\x01" + public)
person = call(
    "POST", "/v1/principals", {"kind": "person", "key": did, "signature": sign(f"openledger/register\nperson\n{did}\n")})["principal"]
now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000000Z"
token = call(
    "POST", "/v1/keys/token",
    {"principal": person, "key": did, "time": now, "signature": sign(f"openledger/sign-in\n{person}\n{did}\n{now}")})["token"]
account = f"payer:{person}"
call("POST", "/v1/accounts", {"account": account, "asset": "USDC/6"}, ADMINISTRATOR)
call(
    "POST", f"/v1/accounts/{account}/deposits",
    {"amount": {"asset": "USDC/6", "amount": "50000000"}, "rail": "bank", "reference": "clients"}, ADMINISTRATOR)
for _ in range(300):
    bases = call("GET", "/v1/base-models", key=token)["items"]
    if bases:
        break
    time.sleep(0.1)
amount = {"asset": "USDC/6", "amount": "1000000"}
call(
    "POST", "/v1/adapters",
    {
        "model": "house/base", "base": bases[0]["model"], "price": {"request": {"asset": "USDC/6", "amount": "100"}, "input": amount, "output": amount},
        "split": {"owner": 9000, "datanets": 0, "contributors": 0, "validators": 0, "compute": 1000},
    }, token)
key = call("POST", "/v1/keys", {"limits": {"minute": {"requests": 1000, "tokens": 10000000}}}, token)["secret"]
for _ in range(300):
    if call("GET", "/v1/models", key=key)["data"]:
        break
    time.sleep(0.1)
with open(FOLDER + "/key", "w", encoding="utf-8") as file:
    file.write(key)
