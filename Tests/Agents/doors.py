"""Agent2Agent by each binding and version, webhooks of tasks, and requests that are signed, by the clients that the world has: a2a-sdk,
standardwebhooks and http-message-signatures.

    python3 doors.py URL ADMINISTRATOR-KEY
"""

import asyncio
import base64
import hashlib
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

import httpx
from a2a.client.card_resolver import parse_agent_card
from a2a.client.client import ClientConfig
from a2a.client.client_factory import ClientFactory
from a2a.compat.v0_3 import types as legacy
from a2a.types.a2a_pb2 import (
    AuthenticationInfo, CancelTaskRequest, DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest, GetTaskRequest,
    ListTaskPushNotificationConfigsRequest, ListTasksRequest, Message, Part, Role, SendMessageRequest, StreamResponse, SubscribeToTaskRequest,
    TaskPushNotificationConfig, TaskState)
from a2a.utils.errors import A2AError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf.json_format import ParseDict
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from parties import Party, administrator, amount, call, ok, url
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Ear(http.server.BaseHTTPRequestHandler):
    """An address that is told things, and keeps them. The first of each address gets an error, so that it comes again."""

    heard, failed = [], set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Ear.heard.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        isFirst = self.path not in Ear.failed
        Ear.failed.add(self.path)
        self.send_response(500 if isFirst else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def told(path):
    return [entry for entry in Ear.heard if entry[0] == path]


def until(what, find, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := find():
            return found
        time.sleep(0.1)
    raise AssertionError(what)


def words(text, name, **metadata):
    message = Message(message_id=name, role=Role.ROLE_USER, parts=[Part(text=text)])
    message.metadata.update(metadata)
    return SendMessageRequest(message=message)


async def refused(work):
    try:
        async for _ in work():
            pass
    except A2AError as error:
        return type(error).__name__
    raise AssertionError("what is wrong was not refused")


def one(coroutine):
    async def only():
        yield await coroutine

    return only


def deliver(seller, buyer, task, work=b"High water at noon."):
    digest = "sha256:" + hashlib.sha256(work).hexdigest()
    ok("POST", f"/v1/tasks/{task}/submission", seller.token, {
        "artefacts": [{"hash": digest, "bytes": len(work), "media": "text/plain"}],
        "signature": seller.signed("openledger/task-submission", task, "0", digest)})
    return lambda: ok("POST", f"/v1/tasks/{task}/completion", buyer.token, {"signature": buyer.signed("openledger/task-completion", task, "0", digest)})


async def binding(name, factory, http, card, seller, buyer, ear):
    """One binding of 1.0: a stream to its end, tasks, push notifications, errors."""
    client = factory.create(card)
    key = str(uuid.uuid4())
    states, artifacts = [], 0
    stream = client.send_message(words("June, please", key))
    first = await anext(stream)
    task = first.task.id
    assert first.task.status.state == TaskState.TASK_STATE_WORKING, first
    again = client.send_message(words("June, please", key))
    assert (await anext(again)).task.id == task, "a repeated message hired again"
    await again.aclose()
    # Where the task's changes are told besides.
    path = f"/a2a-{name}"
    config = TaskPushNotificationConfig(
        id="mine", task_id=task, url=ear + path, token="tide-token", authentication=AuthenticationInfo(scheme="Bearer", credentials="low-water"))
    made = await client.create_task_push_notification_config(config)
    assert made.id == "mine" and made.url == ear + path and made.task_id == task, made
    assert (await client.get_task_push_notification_config(GetTaskPushNotificationConfigRequest(task_id=task, id="mine"))).url == ear + path
    accept = deliver(seller, buyer, task)
    async for event in stream:
        if event.HasField("artifact_update"):
            artifacts += 1
        else:
            states.append(event.status_update.status.state)
            if states[-1] == TaskState.TASK_STATE_INPUT_REQUIRED:
                # Somebody who comes later sees it from here on.
                later = client.subscribe(SubscribeToTaskRequest(id=task))
                assert (await anext(later)).task.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
                accept()
    assert artifacts == 1 and states == [TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_COMPLETED], (artifacts, states)
    assert [e.status_update.status.state async for e in later] == [TaskState.TASK_STATE_COMPLETED]
    whole = await client.get_task(GetTaskRequest(id=task))
    assert whole.status.state == TaskState.TASK_STATE_COMPLETED and len(whole.artifacts) == 1
    listed = await client.list_tasks(ListTasksRequest(page_size=1, status=TaskState.TASK_STATE_COMPLETED))
    assert listed.tasks and listed.tasks[0].status.state == TaskState.TASK_STATE_COMPLETED, listed
    assert (await client.list_tasks(ListTasksRequest(context_id=task))).total_size == 1
    # What was pushed: the first attempt failed, so it came again, the same.
    until("nothing is pushed", lambda: any(b"COMPLETED" in body for _, _, body in told(path)))
    until("what failed does not come again", lambda: len({h["webhook-id"] for _, h, _ in told(path)}) < len(told(path)))
    messages = told(path)
    for _, headers, body in messages:
        assert headers["x-a2a-notification-token"] == "tide-token" and headers["authorization"] == "Bearer low-water", headers
        event = ParseDict(json.loads(body), StreamResponse(), ignore_unknown_fields=True)
        assert event.status_update.task_id == task, body
    configs = await client.list_task_push_notification_configs(ListTaskPushNotificationConfigsRequest(task_id=task))
    assert [c.id for c in configs.configs] == ["mine"]
    await client.delete_task_push_notification_config(DeleteTaskPushNotificationConfigRequest(task_id=task, id="mine"))
    assert not (await client.list_task_push_notification_configs(ListTaskPushNotificationConfigsRequest(task_id=task))).configs
    # Errors are the protocol's own.
    assert await refused(lambda: client.subscribe(SubscribeToTaskRequest(id=task))) == "UnsupportedOperationError"
    assert await refused(one(client.get_task(GetTaskRequest(id="tk_none")))) == "TaskNotFoundError"
    assert await refused(one(client.cancel_task(CancelTaskRequest(id=task)))) == "TaskNotCancelableError"
    assert await refused(one(client.get_task_push_notification_config(GetTaskPushNotificationConfigRequest(task_id=task, id="none")))) == "TaskNotFoundError"
    inside = TaskPushNotificationConfig(id="x", task_id=task, url="ftp://127.0.0.1/x")
    try:
        await client.create_task_push_notification_config(inside)
    except Exception:
        pass
    else:
        raise AssertionError("a push to anywhere was taken")
    print(f"  a2a-sdk, {name}")


async def a2a(buyer, seller, ear):
    async with httpx.AsyncClient(headers={"Authorization": "Bearer " + buyer.token}, timeout=60) as http:
        path = f"/v1/agents/{seller.id}/agent-card.json"
        for name in ("JSONRPC", "HTTP+JSON"):
            factory = ClientFactory(ClientConfig(streaming=True, httpx_client=http, supported_protocol_bindings=[name]))
            card = parse_agent_card((await http.get(url + path)).json())
            await binding(name, factory, http, card, seller, buyer, ear)

    # 0.3: what such a client reads of the same card, and how it calls.
    async with httpx.AsyncClient(headers={"Authorization": "Bearer " + buyer.token}, timeout=60) as http:
        said = (await http.get(url + path)).json()
        old = legacy.AgentCard.model_validate(said)
        assert old.protocol_version == "0.3.0" and old.capabilities.streaming and old.url.endswith("/a2a/" + seller.id), old
        known = {"name", "description", "version", "url", "protocolVersion", "preferredTransport", "capabilities", "defaultInputModes",
                 "defaultOutputModes", "skills"}
        card = parse_agent_card({name: value for name, value in said.items() if name in known})
        client = ClientFactory(ClientConfig(streaming=True, httpx_client=http)).create(card)
        assert type(client._transport).__name__ == "CompatJsonRpcTransport"
        stream = client.send_message(words("July, please", str(uuid.uuid4())))
        first = await anext(stream)
        task = first.task.id
        assert first.task.status.state == TaskState.TASK_STATE_WORKING, first
        await client.create_task_push_notification_config(TaskPushNotificationConfig(id="old", task_id=task, url=ear + "/a2a-old", token="t"))
        accept = deliver(seller, buyer, task)
        states = []
        async for event in stream:
            if event.HasField("status_update"):
                states.append(event.status_update.status.state)
                if len(states) == 1:
                    accept()
        assert states == [TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_COMPLETED], states
        assert (await client.get_task(GetTaskRequest(id=task))).artifacts
        until("nothing is pushed in the old shape", lambda: any(b"completed" in body for _, _, body in told("/a2a-old")))
        pushed = next(legacy.Task.model_validate(json.loads(body)) for _, _, body in told("/a2a-old") if b"completed" in body)
        assert pushed.id == task and pushed.status.state == legacy.TaskState.completed, pushed
        assert await refused(one(client.get_task(GetTaskRequest(id="tk_none")))) == "TaskNotFoundError"
    tag = urllib.request.urlopen(url + path).headers["ETag"]
    try:
        urllib.request.urlopen(urllib.request.Request(url + path, headers={"If-None-Match": tag}))
    except urllib.error.HTTPError as error:
        assert error.code == 304, error
    else:
        raise AssertionError("the card was sent again to who has it")
    print("  a2a-sdk, 0.3")


class Keys(HTTPSignatureKeyResolver):
    """The keys that a house publishes, or one of one's own."""

    def __init__(self, public=None, private=None):
        self.public, self.private = public or {}, private

    def resolve_public_key(self, key_id):
        return self.public[key_id]

    def resolve_private_key(self, key_id):
        return self.private


class Heard:
    """A request that came, as the verifier wants it."""

    def __init__(self, method, at, headers):
        self.method, self.url, self.headers = method, at, headers


def webhooks(buyer, seller, ear):
    """Task changes by Standard Webhooks, signed by the shared secret and by the house's own key."""
    made = ok("POST", "/v1/webhooks", seller.token, {"url": ear + "/hooks"})
    deadline = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    task = ok("POST", "/v1/tasks", buyer.token, {"provider": seller.id, "brief": "Count", "amount": amount(500), "deadline": deadline})["task"]
    ok("POST", f"/v1/tasks/{task}/funding", buyer.token, {"amount": amount(500)})
    deliver(seller, buyer, task)()
    wanted = {"task.opened", "task.funded", "task.submitted", "task.completed"}
    until("something was not told", lambda: {json.loads(body)["type"] for _, _, body in told("/hooks") if json.loads(body)["data"]["task"] == task} >= wanted)
    hook = Webhook(made["secret"])
    published = json.loads(urllib.request.urlopen(url + "/.well-known/http-message-signatures-directory").read())["keys"]
    keys = {key["kid"]: Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "==")) for key in published}
    assert len(keys) == 2, published
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys(keys))
    for path, headers, body in told("/hooks"):
        said = hook.verify(body, headers)
        event = ok("GET", f"/log/v1/events/{said['data']['position']}", administrator)["event"]
        assert event["data"] == said["data"]["event"] and event["type"] == said["type"], (event, said)
        [found] = verifier.verify(Heard("POST", ear + path, headers), max_age=timedelta(minutes=5))
        assert {'"@method"', '"@target-uri"', '"content-digest"', '"webhook-id"'} <= set(found.covered_components), found.covered_components
        assert headers["content-digest"] == "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
        try:
            hook.verify(body + b" ", headers)
        except WebhookVerificationError:
            pass
        else:
            raise AssertionError("what was changed was taken for whole")
    until("the log of deliveries says otherwise", lambda: {
        entry["state"] for entry in ok("GET", f"/v1/webhooks/{made['id']}/deliveries", seller.token)["items"]} == {"delivered"})
    assert call("GET", f"/v1/webhooks/{made['id']}/deliveries", buyer.token)[0] == 404
    ok("DELETE", f"/v1/webhooks/{made['id']}", seller.token)
    print("  standardwebhooks; http-message-signatures of what the house sends")


def directory_of(key, host):
    """A bot's directory of keys, signed by the key for the host, as http-message-signatures makes it."""
    public = key.public_key().public_bytes_raw()
    entry = {"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(public).rstrip(b"=").decode()}
    name = base64.urlsafe_b64encode(hashlib.sha256(json.dumps(entry, separators=(",", ":")).encode()).digest()).rstrip(b"=").decode()
    created = int(time.time())
    parameters = (f'("@authority";req);created={created};expires={created + 60};keyid="{name}";alg="ed25519"'
                  ';tag="http-message-signatures-directory"')
    proof = key.sign(f'"@authority";req: {host}\n"@signature-params": {parameters}'.encode())
    return name, json.dumps({"keys": [entry]}).encode(), {
        "Content-Type": "application/http-message-signatures-directory+json", "Cache-Control": "max-age=3600",
        "Signature-Input": "bot=" + parameters, "Signature": "bot=:" + base64.b64encode(proof).decode() + ":"}


def bots():
    """A bot that nobody registered reads by the keys of its own directory; one whose directory is another's copy does not."""
    key = Ed25519PrivateKey.generate()
    fetched = []

    class Directory(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fetched.append(self.path)
            own = f"127.0.0.1:{self.server.server_port}"
            _, body, headers = directory_of(key, own if self.server is honest else "copied.example")
            self.send_response(200)
            for field, value in headers.items():
                self.send_header(field, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    honest, copy = (http.server.ThreadingHTTPServer(("127.0.0.1", 0), Directory) for _ in range(2))
    for server in (honest, copy):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    name = directory_of(key, "x")[0]

    def read(server, path="/v1/mandates", method="GET", covered=("@authority", "signature-agent"), signed_by=key):
        request = httpx.Request(method, url + path, headers={"Signature-Agent": f'"http://127.0.0.1:{server.server_port}"'})
        if method != "GET":
            request.headers["Idempotency-Key"] = str(uuid.uuid4())
            covered = ("@method", "@target-uri", "idempotency-key", "signature-agent")
        signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Keys(private=signed_by))
        signer.sign(request, key_id=name, covered_component_ids=covered, tag="web-bot-auth", expires=datetime.now() + timedelta(minutes=2))
        with httpx.Client() as client:
            return client.send(request)

    for _ in range(3):
        answer = read(honest)
        assert answer.status_code == 200 and answer.json()["items"] == [], answer.text
    assert fetched == ["/.well-known/http-message-signatures-directory"], "a directory that is kept was fetched again"
    assert read(copy).status_code == 401, "a copied directory was believed"
    assert read(honest, covered=("@authority",)).status_code == 401, "an agent that is not covered was believed"
    assert read(honest, signed_by=Ed25519PrivateKey.generate()).status_code == 401, "another's signature counted"
    assert read(honest, path="/v1/mandates/md_1/revocation", method="POST").status_code == 401, "a bot wrote"
    honest.shutdown()
    copy.shutdown()
    print("  a bot reads by the keys of its own directory")


def signed_requests(buyer):
    """Requests that an agent's own key signs, without any token."""
    public = buyer.key.public_key().public_bytes_raw()
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(public).rstrip(b"=").decode()}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).rstrip(b"=").decode()

    def send(method, path, body=None, key_id=thumbprint, covered=None, key=buyer.key, change=lambda r: None, **options):
        signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Keys(private=key))
        request = httpx.Request(method, url + path, json=body, headers={} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())})
        if body is not None:
            request.headers["Content-Digest"] = "sha-256=:" + base64.b64encode(hashlib.sha256(request.content).digest()).decode() + ":"
        fields = covered or ["@method", "@target-uri"] + (["content-digest"] if body is not None else []) + (["idempotency-key"] if method != "GET" else [])
        signer.sign(request, key_id=key_id, covered_component_ids=fields, nonce=str(uuid.uuid4()), use_existing_digest=body is not None, **options)
        change(request)
        with httpx.Client() as client:
            return client.send(request), request

    answer, _ = send("GET", "/v1/mandates")
    assert answer.status_code == 200 and answer.json()["items"][0]["agent"] == buyer.id, answer.text
    assert send("GET", "/v1/mandates?x", key_id=buyer.did)[0].status_code in (200, 400)
    # Who comes as a bot of the web covers less, and may read.
    bot = {"tag": "web-bot-auth", "expires": datetime.now() + timedelta(minutes=2)}
    assert send("GET", "/v1/mandates", covered=["@authority"], **bot)[0].status_code == 200
    page = {"page": {"name": "Ebb", "description": "When it ebbs"}, "price": amount(10), "seconds": 60}
    answer, request = send("POST", "/v1/services", page)
    assert answer.status_code == 201, answer.text
    with httpx.Client() as client:
        assert client.send(request).status_code == 401, "the same signature counted twice"

    def other_body(r):
        r.stream = httpx.ByteStream(r.content.replace(b"Ebb", b"Flo"))

    def other_path(r):
        r.url = r.url.copy_with(path="/v1/wallets")

    for name, options in {
        "another body": {"body": page, "change": other_body}, "another path": {"path": "/v1/mandates", "method": "GET", "change": other_path},
        "another's key": {"body": page, "key": Ed25519PrivateKey.generate()}, "a key that nobody knows": {"body": page, "key_id": "nobody"},
        "no body covered": {"body": page, "covered": ["@method", "@target-uri", "idempotency-key"]},
        "no key covered": {"body": page, "covered": ["@method", "@target-uri", "content-digest"]},
        "no target covered": {"body": page, "covered": ["@method", "content-digest", "idempotency-key"]},
        "a bot that writes": {"body": page, "covered": ["@authority", "idempotency-key", "content-digest"], **bot},
        "long ago": {"body": page, "created": datetime.now() - timedelta(minutes=10)},
        "too soon": {"body": page, "created": datetime.now() + timedelta(minutes=10)},
        "expired": {"path": "/v1/mandates", "method": "GET", "expires": datetime.now() - timedelta(seconds=5)},
    }.items():
        answer, _ = send(options.pop("method", "POST"), options.pop("path", "/v1/services"), **options)
        assert answer.status_code == 401 and answer.headers["www-authenticate"], (name, answer.status_code, answer.text)
    print("  http-message-signatures: an agent's key opens what its token does, and nothing else does")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ear = f"http://127.0.0.1:{server.server_port}"
    ann, bob = Party("person"), Party("person")
    buyer, seller = Party("agent", ann), Party("agent", bob)
    ok("POST", "/v1/accounts", ann.token, {"account": "payer:" + ann.id, "asset": "USDC/6"})
    ok("POST", f"/v1/accounts/payer:{ann.id}/deposits", administrator, {"amount": amount(1_000_000), "rail": "bank", "reference": ann.id})
    ok("POST", "/v1/mandates", ann.token, {
        "agent": buyer.id, "terms": {"budget": amount(500_000), "period": "day", "expires": "2099-01-01T00:00:00.000000Z"}})
    ok("POST", "/v1/services", seller.token, {"page": {"name": "Ebb and flood", "description": "High water"}, "price": amount(1_000), "seconds": 600})
    asyncio.run(a2a(buyer, seller, ear))
    webhooks(buyer, seller, ear)
    signed_requests(buyer)
    bots()
    server.shutdown()


main()
