"""The runner protocol from the runner's side (docs/models.md): every call to training that a job needs."""

import dataclasses
import hashlib
import json
import os
import pathlib
import time
import urllib.error
import urllib.request


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, call, detail):
        super().__init__(f"{call}: {status} {detail}")
        self.status = status


def canonical(value):
    """RFC 8785 for what artefacts and records hold: text, whole numbers, lists and objects with ASCII keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Artefact:
    """Several files as one thing with one name: the SHA-256 of a manifest of their hashes."""

    def __init__(self, files):
        self.files = [(path, digest(data), data) for path, data in sorted(files.items())]
        self.manifest = canonical({"files": [{"bytes": len(data), "path": path, "sha256": name} for path, name, data in self.files]})
        self.digest = digest(self.manifest)

    @staticmethod
    def of_model(folder):
        """What the log calls a base model: all files that decide what it says."""
        names = [path for path in pathlib.Path(folder).iterdir() if path.suffix in (".json", ".safetensors", ".jinja")]
        return Artefact({path.name: path.read_bytes() for path in names})


@dataclasses.dataclass
class Order:
    """What is to be done."""

    job: str
    attempt: int
    base: str
    base_artefact: str
    snapshots: list
    settings: dict
    checkpoint: str
    lease_seconds: int


class Desk:
    """Calls training. A command has a key of its own: it is safe to send twice, and is sent again when its answer was lost."""

    def __init__(self, url, token, features=("attribution-rows",)):
        self.url = url.rstrip("/")
        # What this runner can do besides: training places jobs by it.
        self.features = list(features)
        # Read for every call: what makes tokens may replace it.
        self.token = token

    def lease(self, bases, wait, key, declined=()):
        body = {"bases": bases, "features": self.features, "declined": list(declined)[-1000:]}
        answer = self._json("POST", f"/v1/runners/leases?wait={wait}", body, key, timeout=wait + 30)
        if answer is None:
            return None
        return Order(
            answer["job"], answer["attempt"], answer["base"], answer.get("base_artefact"), answer["snapshots"], answer["settings"],
            answer.get("checkpoint"), answer["lease_seconds"])

    def register(self, name, artefact, licence, parameters):
        """Makes a base model known, unless somebody has."""
        for known in self._json("GET", "/v1/base-models")["items"]:
            if known["model"] == name:
                if known["artefact"] != artefact:
                    raise SystemExit(f"{name} is known as {known['artefact']}, the folder here is {artefact}: give it another name")
                return
        body = {"model": name, "artefact": artefact, "licence": licence, "parameters": parameters}
        self._json("POST", "/v1/base-models", body, "base-" + artefact[7:])

    def rows(self, order, snapshot):
        with self._open("GET", f"/v1/runners/jobs/{order.job}/rows?snapshot={snapshot}", timeout=3600) as answer:
            for line in answer:
                if line.strip():
                    yield json.loads(line)

    def heartbeat(self, order, step, steps, **figures):
        body = {"attempt": order.attempt, "step": step, "steps": steps, **figures}
        return self._json("POST", f"/v1/runners/jobs/{order.job}/heartbeat", body)

    def upload(self, artefact):
        for _, name, data in artefact.files:
            self._put(name, data)
        self._put(artefact.digest, artefact.manifest)

    def download(self, name):
        """An artefact's files, each checked against its hash."""
        manifest = self._bytes(name)
        return {entry["path"]: self._bytes(entry["sha256"]) for entry in json.loads(manifest)["files"]}

    def checkpoint(self, order, step, artefact, metrics):
        body = {"attempt": order.attempt, "step": step, "checkpoint": artefact.digest, "metrics": metrics}
        self._json("POST", f"/v1/runners/jobs/{order.job}/checkpoint", body, f"{order.job}-{order.attempt}-{step}")

    def join(self, engine, bases):
        """Joins as somebody's own runner, with what its principal has staked."""
        body = {"engine": engine, "bases": sorted(bases), "features": self.features}
        self._json("POST", "/v1/runners", body, "join-" + digest(canonical(body))[7:39])

    def complete(self, order, artefact, rows, tokens, record):
        body = {"attempt": order.attempt, "adapter": artefact.digest, "tokens": tokens, "record": record}
        if rows:
            body["rows"] = rows.digest
        self._json("POST", f"/v1/runners/jobs/{order.job}/complete", body, f"{order.job}-{order.attempt}-complete")

    def fail(self, order, reason, elsewhere=False):
        body = {"attempt": order.attempt, "reason": reason[:200] or "no reason", "elsewhere": elsewhere}
        self._json("POST", f"/v1/runners/jobs/{order.job}/fail", body, f"{order.job}-{order.attempt}-fail")

    def _put(self, name, data):
        with self._open("PUT", f"/v1/adapters/artefacts/{name}", data, "application/octet-stream", timeout=300):
            pass

    def _bytes(self, name):
        with self._open("GET", f"/v1/adapters/artefacts/{name}", timeout=300) as answer:
            data = answer.read()
        if digest(data) != name:
            raise ValueError(f"{name} came with other bytes")
        return data

    def _json(self, method, path, body=None, key=None, timeout=60):
        data = None if body is None else json.dumps(body).encode()
        with self._open(method, path, data, "application/json", key, timeout) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _open(self, method, path, data=None, kind=None, key=None, timeout=60):
        call = f"{method} {path}"
        for attempt in range(5):
            headers = {"Authorization": "Bearer " + self.token()}
            if kind and data is not None:
                headers["Content-Type"] = kind
            if key:
                headers["Idempotency-Key"] = key
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            try:
                return urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                with error:
                    text = error.read().decode(errors="replace")
                if error.code not in (429, 500, 502, 503, 504) or attempt == 4:
                    raise Refused(error.code, call, _detail(text)) from None
            except OSError:
                # Reports are followed by others; everything else may be sent again.
                if path.endswith("/heartbeat") or attempt == 4:
                    raise
            time.sleep(min(8, 2 ** attempt))
        raise AssertionError("not reached")


def _detail(text):
    try:
        return json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        return text[:200]


def token_source(variables=os.environ):
    """The token of OPENLEDGER_TOKEN_FILE, which may be replaced while the runner runs, or of OPENLEDGER_TOKEN."""
    if path := variables.get("OPENLEDGER_TOKEN_FILE"):
        return lambda: pathlib.Path(path).read_text().strip()
    if token := variables.get("OPENLEDGER_TOKEN"):
        return lambda: token
    raise SystemExit("name a token or API key with the scopes runners:work, artefacts:read and models:write: OPENLEDGER_TOKEN_FILE or OPENLEDGER_TOKEN")
