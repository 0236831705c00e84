"""x402 by its own client and facilitator client (PyPI x402), on the house's network and on a chain.

    python3 payments.py URL ADMINISTRATOR-KEY CHAIN-URL TOKEN
"""

import asyncio
import base64
import json
import sys
import time
import urllib.request

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_hash.auto import keccak
from parties import Party, administrator, amount, call, ok, url
from x402 import x402Client
from x402.extensions.bazaar.facilitator_client import ListDiscoveryResourcesParams, with_bazaar
from x402.extensions.payment_identifier.client import append_payment_identifier_to_extensions
from x402.http import FacilitatorConfig, HTTPFacilitatorClientSync, decode_payment_response_header
from x402.http.clients import x402HttpxClient
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact.register import register_exact_evm_client
from x402.mechanisms.evm.upto.client import UptoEvmScheme
from x402.schemas import PaymentPayload, PaymentRequirements

chain, token = sys.argv[3], sys.argv[4]
FACILITATOR = HTTPFacilitatorClientSync(FacilitatorConfig(url=url + "/x402"))


def ask_chain(method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(chain, data=body, headers={"Content-Type": "application/json"})) as response:
        said = json.loads(response.read())
    assert "error" not in said, said
    return said["result"]


def coins(address):
    return int(ask_chain("eth_call", {"to": token, "data": "0x" + (keccak(b"balanceOf(address)")[:4] + bytes(12) + bytes.fromhex(address[2:])).hex()}), 16)


def link(party, account):
    text = f"openledger/link-wallet\n{party.id}\n{account.address.lower()}"
    signature = "0x" + account.sign_message(encode_defunct(text=text)).signature.hex().removeprefix("0x")
    ok("POST", "/v1/wallets", party.token, {"address": account.address, "signature": signature})


def available(party):
    return int(ok("GET", f"/v1/accounts/payer:{party.id}", administrator)["assets"][0]["available"]["amount"])


def until(what, condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def only(scheme=None, network=None):
    """A policy of the client: pay by this scheme on this network."""
    return lambda version, offers: [o for o in offers if (scheme is None or o.scheme == scheme) and (network is None or str(o.network) == network)]


def paying(account, scheme=None, network=None):
    client = x402Client()
    register_exact_evm_client(client, EthAccountSigner(account), policies=[only(scheme, network)])
    client.register("eip155:*", UptoEvmScheme(EthAccountSigner(account)))
    # The stock client pays well-known stablecoins only, unless it is told otherwise.
    client.set_spend_controls(False)
    return client


async def buy(client, service, **headers):
    async with x402HttpxClient(client, timeout=60) as http:
        return await http.post(f"{url}/x402/services/{service}", json={"brief": "Where does the tide turn?"}, headers=headers)


def settlement(response):
    header = response.headers.get("PAYMENT-RESPONSE") or response.headers["X-PAYMENT-RESPONSE"]
    return decode_payment_response_header(header)


async def main():
    ann, bob = Party("person"), Party("person")
    buyer = Party("agent", ann)
    for party, units in ((ann, 1_000_000), (bob, 200_000)):
        ok("POST", "/v1/accounts", party.token, {"account": "payer:" + party.id, "asset": "USDC/6"})
        ok("POST", f"/v1/accounts/payer:{party.id}/deposits", administrator, {"amount": amount(units), "rail": "bank", "reference": party.id})
    ok("POST", "/v1/mandates", ann.token,
       {"agent": buyer.id, "terms": {"budget": amount(500_000), "period": "day", "expires": "2099-01-01T00:00:00.000000Z"}})
    wallet = Account.create()
    link(buyer, wallet)
    base = next(b["model"] for b in ok("GET", "/v1/base-models", bob.token)["items"])
    ok("POST", "/v1/adapters", bob.token, {
        "model": "bob/tides", "base": base, "price": {"request": amount(100), "input": amount(1_000_000), "output": amount(1_000_000)},
        "split": {"owner": 9000, "datanets": 0, "contributors": 0, "validators": 0, "compute": 1000}})
    until("the model is not served", lambda: any(m["id"] == "bob/tides" for m in ok("GET", "/v1/models", buyer.token)["data"]))
    page = {"name": "Tides", "description": "Answers about tides, at once", "tags": ["sea"], "model": "bob/tides", "max_tokens": 16}
    service = ok("POST", "/v1/services", bob.token, {"page": page, "price": amount(20_000), "seconds": 60})["service"]
    work = ok("POST", "/v1/services", bob.token, {
        "page": {"name": "Tide tables", "description": "A month"}, "price": amount(50_000), "seconds": 600})["service"]

    # What there is.
    supported = FACILITATOR.get_supported()
    kinds = {(k.x402_version, k.scheme, str(k.network)) for k in supported.kinds}
    house = next(str(k.network) for k in supported.kinds if k.scheme == "upto")
    assert {(2, "exact", house), (2, "upto", house), (2, "exact", "eip155:84532"), (1, "exact", "base-sepolia")} <= kinds, kinds
    found = with_bazaar(FACILITATOR).extensions.bazaar.list_resources(ListDiscoveryResourcesParams(type="http", limit=10))
    assert {service, work} <= {r.resource.rsplit("/")[-1] for r in found.items if r.resource}, found

    # Credit, exact: an agent within its mandate.
    before = available(ann)
    response = await buy(paying(wallet, "exact", house), service)
    paid = settlement(response)
    assert response.status_code == 200 and response.json()["delivery"]["answer"], response.text
    assert paid.success and paid.amount == "20000" and paid.transaction, paid
    assert available(ann) == before - 20_000

    # Credit, upto: what came of it.
    response = await buy(paying(wallet, "upto", house), service)
    tokens = response.json()["delivery"]["output_tokens"]
    assert int(settlement(response).amount) == max(1, -(-20_000 * tokens // 16)), (settlement(response), tokens)

    # Work is hired into its escrow.
    response = await buy(paying(wallet, "exact", house), work)
    task = response.json()["task"]
    assert task["phase"] == "funded" and settlement(response).transaction == task["task"]

    # A payment-identifier: the same payload again is the same purchase, another payload under it is a conflict.
    async with httpx.AsyncClient(timeout=60) as http:
        asked = await http.post(f"{url}/x402/services/{service}", json={"brief": "Ebb?"})
        assert asked.status_code == 402 and asked.json()["x402Version"] == 1, asked.text
        required = decode_payment_required_header(asked.headers["PAYMENT-REQUIRED"])
        client = paying(wallet, "exact", house)
        append_payment_identifier_to_extensions(required.extensions, "pay_ebb_0123456789")
        payload = await client.create_payment_payload(required, extensions=required.extensions)
        headers = {"PAYMENT-SIGNATURE": encode_payment_signature_header(payload)}
        before = available(ann)
        first = await http.post(f"{url}/x402/services/{service}", json={"brief": "Ebb?"}, headers=headers)
        again = await http.post(f"{url}/x402/services/{service}", json={"brief": "Ebb?"}, headers=headers)
        assert first.status_code == again.status_code == 200 and first.json() == again.json(), (first.text, again.text)
        assert available(ann) == before - 20_000, "paid twice"
        other = await client.create_payment_payload(required, extensions=required.extensions)
        clash = await http.post(
            f"{url}/x402/services/{service}", json={"brief": "Ebb?"}, headers={"PAYMENT-SIGNATURE": encode_payment_signature_header(other)})
        assert clash.status_code == 409, clash.text
        garbled = await http.post(f"{url}/x402/services/{service}", json={"brief": "Ebb?"}, headers={"PAYMENT-SIGNATURE": "%%%"})
        assert garbled.status_code == 400, garbled.text

    # The facilitator, for a seller elsewhere.
    shop = Party("person")
    ok("POST", "/v1/accounts", shop.token, {"account": "payer:" + shop.id, "asset": "USDC/6"})
    asset = next(k.extra["assets"][0] for k in supported.kinds if k.scheme == "exact" and k.extra)
    terms = PaymentRequirements(
        scheme="exact", network=house, asset=asset["address"], amount="7000", pay_to=ok("GET", "/v1/wallets", shop.token)["pay_to"],
        max_timeout_seconds=60, extra={"name": asset["name"], "version": asset["version"]})

    async def signed(requirements, account=wallet):
        inner = paying(account)._schemes["eip155:*"]["exact"].create_payment_payload(requirements)
        return PaymentPayload(payload=inner, accepted=requirements)

    payload = await signed(terms)
    assert FACILITATOR.verify(payload, terms).is_valid
    first, again = FACILITATOR.settle(payload, terms), FACILITATOR.settle(payload, terms)
    assert first.success and first == again and available(shop) == 7_000, (first, again)
    spent = FACILITATOR.verify(payload, terms)
    assert not spent.is_valid and spent.invalid_reason == "invalid_exact_evm_nonce_already_used", spent
    tampered = payload.model_copy(deep=True)
    tampered.payload["authorization"]["nonce"] = "0x" + "11" * 32
    assert FACILITATOR.settle(tampered, terms).error_reason == "invalid_exact_evm_payload_signature"
    stranger = FACILITATOR.verify(await signed(terms, Account.create()), terms)
    assert stranger.invalid_reason == "unknown_payer", stranger
    elsewhere = terms.model_copy(update={"network": "eip155:1"})
    assert FACILITATOR.verify(await signed(elsewhere), elsewhere).invalid_reason == "network_mismatch"
    print("  x402 on the house's credit: exact, upto, hiring, payment-identifier, facilitator")

    # A chain: the payer is nobody here and has coins there. The transaction is made, signed and sent by the house.
    guest = Account.create()
    ask_chain("test_fund", guest.address, 0, 1_000_000)
    ask_chain("test_fund", supported.signers["eip155:*"][0], 10**20, 0)
    till = supported.signers["eip155:*"][0]
    before = available(bob)
    response = await buy(paying(guest, "exact", "eip155:84532"), service)
    paid = settlement(response)
    assert response.status_code == 200 and paid.success, (response.text, paid)
    assert ask_chain("eth_getTransactionReceipt", paid.transaction)["status"] == "0x1"
    assert coins(guest.address) == 980_000 and coins(till) == 20_000
    # The seller has the payment as credit, less what the answer cost.
    fee = int(response.json()["delivery"]["fee"]["amount"])
    until("the seller has nothing", lambda: available(bob) == before + 20_000 - fee)

    # The same by version 1, as older clients speak it.
    class Old(httpx.AsyncBaseTransport):
        """Shows a client what version 1 says alone."""

        def __init__(self):
            self.inner = httpx.AsyncHTTPTransport()

        async def handle_async_request(self, request):
            response = await self.inner.handle_async_request(request)
            response.headers.pop("PAYMENT-REQUIRED", None)
            return response

    from x402.http.clients.httpx import x402AsyncTransport

    client = x402Client()
    register_exact_evm_client(client, EthAccountSigner(guest))
    client.set_spend_controls(False)
    async with httpx.AsyncClient(transport=x402AsyncTransport(client, Old()), timeout=60) as http:
        response = await http.post(f"{url}/x402/services/{service}", json={"brief": "By the old way"})
    assert response.status_code == 200 and settlement(response).success, response.text
    assert "X-PAYMENT-RESPONSE" in response.headers and coins(guest.address) == 960_000

    # The node's answer is lost after the transaction happened: the outcome is unknown, then found out; nothing is paid twice.
    async with httpx.AsyncClient(timeout=60) as http:
        asked = await http.post(f"{url}/x402/services/{service}", json={"brief": "Lost?"})
        required = decode_payment_required_header(asked.headers["PAYMENT-REQUIRED"])
        payload = await paying(guest, "exact", "eip155:84532").create_payment_payload(required)
        headers = {"PAYMENT-SIGNATURE": encode_payment_signature_header(payload)}
        ask_chain("test_lose", 1)
        lost = await http.post(f"{url}/x402/services/{service}", json={"brief": "Lost?"}, headers=headers)
        assert lost.status_code == 503, lost.text
        pending = settlement(lost)
        assert not pending.success and pending.error_reason == "settlement_pending", pending
        nonce = payload.payload["authorization"]["nonce"]
        status = f"/x402/payments?network=eip155:84532&payer={guest.address}&nonce={nonce}"
        until("the outcome stays unknown", lambda: ok("GET", status, None)["status"] == "SETTLED")
        found = await http.post(f"{url}/x402/services/{service}", json={"brief": "Lost?"}, headers=headers)
        assert found.status_code == 200 and settlement(found).success, found.text
        assert coins(guest.address) == 940_000, "paid twice"
    # What is needed to be given the answer is not on the log: whoever has the word alone, as everybody reads it on the chain, gets nothing.
    async with httpx.AsyncClient(timeout=60) as http:
        stolen = await http.post(f"{url}/x402/services/{service}", json={"brief": "What was it?"}, headers=headers)
        assert stolen.status_code == 402 and settlement(stolen).error_reason == "invalid_exact_evm_nonce_already_used", stolen.text

    # A payment that its payer cancels while the chain takes nothing pays for nothing, though its nonce is used.
    async with httpx.AsyncClient(timeout=60) as http:
        credit = available(bob)
        payload = await paying(guest, "exact", "eip155:84532").create_payment_payload(required)
        ask_chain("test_halt", True)
        headers = {"PAYMENT-SIGNATURE": encode_payment_signature_header(payload)}
        waiting = await http.post(f"{url}/x402/services/{service}", json={"brief": "Cancelled?"}, headers=headers)
        assert waiting.status_code == 503, waiting.text
        nonce = payload.payload["authorization"]["nonce"]
        domain = {"name": "Coin", "version": "2", "chainId": 84532, "verifyingContract": token}
        types = {"CancelAuthorization": [{"name": "authorizer", "type": "address"}, {"name": "nonce", "type": "bytes32"}]}
        cancel = guest.sign_typed_data(domain, types, {"authorizer": guest.address, "nonce": nonce})
        words = [bytes(12) + bytes.fromhex(guest.address[2:]), bytes.fromhex(nonce[2:]), *(n.to_bytes(32, "big") for n in (cancel.v, cancel.r, cancel.s))]
        ask_chain("test_call", "0x" + (keccak(b"cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)")[:4] + b"".join(words)).hex())
        ask_chain("test_halt", False)
        status = f"/x402/payments?network=eip155:84532&payer={guest.address}&nonce={nonce}"
        until("the outcome stays unknown", lambda: ok("GET", status, None)["status"] == "FAILED")
        failed = await http.post(f"{url}/x402/services/{service}", json={"brief": "Cancelled?"}, headers=headers)
        assert failed.status_code == 402 and coins(guest.address) == 940_000, failed.text
        assert available(bob) <= credit, "credit came out of nothing"

    # Who has no coins pays nothing.
    poor = await buy(paying(Account.create(), "exact", "eip155:84532"), service)
    assert poor.status_code == 402 and settlement(poor).error_reason == "insufficient_funds", poor.headers
    status, _ = call("GET", f"/x402/payments?network=eip155:84532&payer={guest.address}&nonce=0x{'00' * 32}", None)
    assert status == 404
    print("  x402 on a chain: versions 2 and 1, and an answer that was lost")


asyncio.run(main())
