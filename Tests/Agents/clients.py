"""An owner, two agents and a person, by the interfaces that the world has: REST with signatures made here, MCP by its own clients."""

import asyncio
import json
import time
import uuid

import fastmcp
import httpx
import httpx2
from a2a.client.client import ClientConfig
from a2a.client.client_factory import ClientFactory
from a2a.types.a2a_pb2 import CancelTaskRequest, GetTaskRequest, Message, Part, Role, SendMessageRequest, TaskState
from a2a.utils.errors import A2AError
from fastmcp.client.transports import StreamableHttpTransport
from cryptography.hazmat.primitives import serialization
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider, SignedJWTParameters
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from parties import Party, administrator, amount, ok, url


class Storage:
    """Where an OAuth client keeps what it was given."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def said(result):
    """What a tool said, whichever client asked."""
    content = getattr(result, "structured_content", None)
    assert content is not None, result
    assert json.loads(result.content[0].text) == content
    return content


async def main():
    ann, bob = Party("person"), Party("person")
    buyer, seller = Party("agent", ann), Party("agent", bob)
    ok("POST", "/v1/accounts", ann.token, {"account": "payer:" + ann.id, "asset": "USDC/6"})
    ok("POST", f"/v1/accounts/payer:{ann.id}/deposits", administrator, {"amount": amount(1_000_000), "rail": "bank", "reference": ann.id})
    mandate = ok(
        "POST", "/v1/mandates", ann.token,
        {"agent": buyer.id, "terms": {"budget": amount(500_000), "period": "day", "per_payment": amount(200_000), "expires": "2099-01-01T00:00:00.000000Z"}},
    )["mandate"]
    # An agent that shows no token finds out by itself who gives one (RFC 9728, RFC 8414), and is given it for its key's word (RFC 7523).
    pem = buyer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    storage = Storage()
    word = SignedJWTParameters(issuer=buyer.id, subject=buyer.id, signing_key=pem, signing_algorithm="EdDSA")
    auth = PrivateKeyJWTOAuthProvider(
        server_url=url + "/mcp", storage=storage, client_id=buyer.id, assertion_provider=word.create_assertion_provider(), issuer=url)
    async with Client(streamable_http_client(url + "/mcp", http_client=httpx2.AsyncClient(auth=auth))) as client:
        assert said(await client.call_tool("mandates", {}))["mandates"][0]["mandate"] == mandate
    assert storage.tokens.access_token and "agents:write" in storage.tokens.scope.split(), storage.tokens
    print("  mcp finds out who gives tokens, and is given one")

    page = {"name": "Tide tables", "description": "High water in any harbour", "tags": ["sea"], "input": {"type": "object"}}
    service = ok("POST", "/v1/services", seller.token, {"page": page, "price": amount(150_000), "seconds": 600})["service"]

    def modern(token, mode):
        transport = streamable_http_client(url + "/mcp", http_client=httpx2.AsyncClient(headers={"Authorization": "Bearer " + token}))
        return Client(transport, mode=mode)

    tasks = []
    for mode in ("auto", "legacy", "2026-07-28"):
        async with modern(buyer.token, mode) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert {"search_datanets", "ask_model", "explain_attribution", "quote", "hire", "balance", "ledger_proof"} <= tools, tools
            found = said(await client.call_tool("search_services", {"words": "tide harbour"}))
            assert [entry["service"] for entry in found["services"]] == [service]
            wish = {"service": service, "brief": "June, by " + mode, "key": "june-" + mode}
            result = await client.call_tool("hire", wish)
            assert not result.is_error, result
            task = said(result)["task"]["task"]
            assert said(await client.call_tool("hire", wish))["task"]["task"] == task, "a repeated command made another task"
            tasks.append(task)
            assert said(await client.call_tool("search_datanets", {}))["datanets"] == []
            refused = await client.call_tool("quote", {"service": "sv_none"})
            assert refused.is_error and said(refused)["problem"] == "not-found", refused
            # The service is a tool of its own: the same listing, the same task for the same key.
            [offer] = [tool for tool in (await client.list_tools()).tools if tool.name == service]
            assert offer.title == "Tide tables" and offer.meta["openledger/price"]["amount"] == "150000", offer
            assert "openledger_key" in offer.input_schema["required"], offer.input_schema
            once = {"harbour": "Norwick", "openledger_key": "tool-" + mode, "openledger_most": "100"}
            dear = await client.call_tool(service, once)
            assert dear.is_error and said(dear)["problem"] == "invalid-value", dear
            proof = said(await client.call_tool("ledger_proof", {"position": 0}))["proof"]
            assert proof.startswith("c2sp.org/tlog-proof@v1"), proof[:60]
        print(f"  mcp, {mode}")

    async with fastmcp.Client(StreamableHttpTransport(url + "/mcp", headers={"Authorization": "Bearer " + buyer.token})) as client:
        # More services than a page has: the client goes on by itself.
        many = {ok("POST", "/v1/services", bob.token, {
            "page": {"name": f"Chart {number}", "description": "A chart"}, "price": amount(10_000), "seconds": 600})["service"] for number in range(60)}
        named = {tool.name for tool in await client.list_tools()}
        assert "hire" in named and service in named and many <= named, len(named)
        purse = (await client.call_tool("mandates", {})).structured_content["mandates"][0]
        assert purse["mandate"] == mandate and purse["free"]["amount"] == "50000", purse
        over = await client.call_tool("hire", {"service": service, "brief": "July", "key": "july"}, raise_on_error=False)
        assert over.is_error and over.structured_content["problem"] == "mandate-exceeded", over
        chart = sorted(many)[-1]
        wish = {"brief": "Norwick Sound", "openledger_key": "chart"}
        hired = (await client.call_tool(chart, wish)).structured_content["task"]["task"]
        assert (await client.call_tool(chart, wish)).structured_content["task"]["task"] == hired, "a repeated call hired again"
        ok("POST", f"/v1/tasks/{hired}/rejection", bob.token)
    async with fastmcp.Client(StreamableHttpTransport(f"{url}/mcp/{seller.id}", headers={"Authorization": "Bearer " + buyer.token})) as client:
        named = {tool.name for tool in await client.list_tools()}
        assert service in named and not many & named and "hire" not in named, named
        for chart in many:
            ok("DELETE", f"/v1/services/{chart}", bob.token)
    print("  fastmcp")

    async with httpx.AsyncClient(headers={"Authorization": "Bearer " + buyer.token}) as http:
        def words(text, name, **metadata):
            message = Message(message_id=name, role=Role.ROLE_USER, parts=[Part(text=text)])
            message.metadata.update(metadata)
            return SendMessageRequest(message=message)

        async def answers(client, request):
            return [event async for event in client.send_message(request)]

        gateway = await ClientFactory(ClientConfig(streaming=True, httpx_client=http)).create_from_url(url)
        [found] = await answers(gateway, words("tide harbour", str(uuid.uuid4())))
        assert found.message.parts[1].data.struct_value["services"][0]["service"] == service, found
        small = ok("POST", "/v1/services", seller.token, {"page": {"name": "A word", "description": "One word"}, "price": amount(10_000), "seconds": 600})["service"]
        factory = ClientFactory(ClientConfig(streaming=False, httpx_client=http))
        agent = await factory.create_from_url(url, relative_card_path=f"/v1/agents/{seller.id}/agent-card.json")
        name = str(uuid.uuid4())
        [hired] = await answers(agent, words("Say one", name, service=small))
        assert hired.task.status.state == TaskState.TASK_STATE_WORKING, hired
        [again] = await answers(agent, words("Say one", name, service=small))
        assert again.task.id == hired.task.id, "a repeated message hired again"
        assert (await agent.get_task(GetTaskRequest(id=hired.task.id))).id == hired.task.id
        assert (await agent.cancel_task(CancelTaskRequest(id=hired.task.id))).status.state == TaskState.TASK_STATE_CANCELED
        for wrong in (lambda: answers(agent, words("which?", str(uuid.uuid4()))), lambda: agent.get_task(GetTaskRequest(id="tk_none"))):
            try:
                await wrong()
            except A2AError as error:
                assert error.message
            else:
                raise AssertionError("what is wrong was not refused")
    print("  a2a-sdk")

    work = "sha256:" + "ab" * 32
    for task in tasks[:2]:
        ok("POST", f"/v1/tasks/{task}/submission", seller.token,
           {"artefacts": [{"hash": work, "bytes": 9, "media": "text/plain"}], "signature": seller.signed("openledger/task-submission", task, "0", work)})
        ok("POST", f"/v1/tasks/{task}/completion", buyer.token, {"signature": buyer.signed("openledger/task-completion", task, "0", work)})
    ok("POST", f"/v1/mandates/{mandate}/revocation", ann.token)
    for _ in range(200):
        account = ok("GET", f"/v1/accounts/payer:{ann.id}", ann.token)["assets"][0]
        name = ok("GET", f"/v1/agents/{seller.id}/reputation", None)["items"]
        if account["available"]["amount"] == "700000" and name and name[0]["total"]["amount"] == "300000":
            break
        time.sleep(0.1)
    else:
        raise AssertionError(f"not settled: {account} {name}")
    assert ok("GET", f"/v1/tasks/{tasks[2]}", buyer.token)["phase"] == "rejected"
    assert name[0]["counterparties"] == 1 and all(len(task["positions"]) == 2 for task in name[0]["tasks"]), name
    print("  two tasks paid, the third given back with its mandate")


asyncio.run(main())
