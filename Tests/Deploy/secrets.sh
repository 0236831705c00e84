#!/usr/bin/env bash
# deploy/make-secrets makes every secret that the compose file names, keeps what is there, and makes keys of the right kind.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)/secrets
trap 'rm -rf "$(dirname "$folder")"' EXIT
fail() { echo "$*"; exit 1; }

"$root/deploy/make-secrets" "$folder" >/dev/null
while read -r name; do
  [[ -s $folder/$name ]] || fail "no secret $name"
done < <(grep -oE './deploy/secrets/[a-z_.]+' "$root/docker-compose.yml" | xargs -n 1 basename)

[[ $(cat "$folder"/*_password | sort -u | wc -l) == 8 ]] || fail "there are not eight different passwords"
[[ $(stat -c %a "$folder") == 700 ]] || fail "the folder is open to others"
# Our program refuses a private key that others can read, and the image's user has to read it.
for key in "$folder/log_key" "$folder"/*_token_key; do
  [[ $(stat -c %a "$key") == 400 ]] || fail "$key can be read by others"
  owner=10001
  [[ $(id -u) == 0 && $key != */operator_token_key ]] || owner=$(id -u)
  [[ $(stat -c %u "$key") == "$owner" ]] || fail "$key belongs to the wrong user"
done
grep -q -- "--uid $(sed -n 's/^image_user=//p' "$root/deploy/make-secrets") " "$root/Dockerfile" || fail "the image has another user"
openssl pkey -in "$folder/log_key" -noout -text | grep -q '^ED25519' || fail "log_key is no Ed25519 key"
openssl x509 -in "$folder/tls.crt" -noout -checkhost localhost | grep -q 'does match' || fail "the certificate is not for localhost"
[[ $(openssl pkey -in "$folder/tls.key" -pubout) == "$(openssl x509 -in "$folder/tls.crt" -noout -pubkey)" ]] || fail "certificate and key differ"
python3 - "$folder/jwks.json" <<'PYTHON' || fail "jwks.json is wrong"
import base64, hashlib, json, sys
keys = json.load(open(sys.argv[1], encoding="utf-8"))["keys"]
assert sorted(key["iss"] for key in keys) == [
    "agent-gateway", "attribution", "billing", "datanet", "ingest", "operator", "training",
], [key["iss"] for key in keys]
assert len({key["x"] for key in keys}) == len(keys), "two issuers have one key"
for key in keys:
    assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32
    # RFC 7638: the required members, by name, without white space.
    members = json.dumps({name: key[name] for name in ("crv", "kty", "x")}, separators=(",", ":"), sort_keys=True)
    assert key["kid"] == base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=")
PYTHON

# The token that make-secrets made is of the operator's key, for a day, and for /metrics alone.
python3 - "$folder" <<'PYTHON' || fail "metrics_token is wrong"
import base64, json, sys, time
folder = sys.argv[1]
def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
header, claims, signature = open(folder + "/metrics_token", encoding="utf-8").read().split(".")
operator = next(key for key in json.load(open(folder + "/jwks.json", encoding="utf-8"))["keys"] if key["iss"] == "operator")
assert json.loads(part(header)) == {"alg": "EdDSA", "typ": "JWT", "kid": operator["kid"]}
said = json.loads(part(claims))
assert (said["iss"], said["aud"], said["scope"]) == ("operator", "openledger", "metrics:read"), said
assert 86_000 < said["exp"] - time.time() <= 86_400
open(folder + "/../signed", "w", encoding="utf-8").write(f"{header}.{claims}")
open(folder + "/../signature", "wb").write(part(signature))
PYTHON
openssl pkeyutl -verify -rawin -inkey "$folder/operator_token_key" -in "$folder/../signed" -sigfile "$folder/../signature" >/dev/null || fail "metrics_token is not signed by the operator's key"

before=$(cat "$folder"/* | sha256sum)
"$root/deploy/make-secrets" "$folder" >/dev/null
[[ $(cat "$folder"/* | sha256sum) == "$before" ]] || fail "a second run changed something"
