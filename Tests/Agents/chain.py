"""A chain with one token, behind Ethereum's JSON-RPC on a port of this machine: py-evm carries out what it is sent.

    python3 chain.py CHAIN-ID

Prints the address of the interface and the token's, then serves. Beside Ethereum's methods it has test_fund(address, coin, token), and
test_lose(count): so many answers are lost after what was asked for has happened, test_halt(is_halted): no transaction is
taken, and test_call(data): the token is called by the chain's owner.
"""

import http.server
import json
import pathlib
import sys
import threading
import time

import vyper
from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks import CancunVM
from eth_hash.auto import keccak
from eth_keys import keys


class Refused(Exception):
    pass


def word(value):
    return value.rjust(32, b"\0") if isinstance(value, bytes) else value.to_bytes(32, "big")


def binary(text):
    return bytes.fromhex(text[2:])


class Chain:
    def __init__(self, number):
        self.number = number
        self.key = keys.PrivateKey(b"\x09" * 32)
        self.owner = self.key.public_key.to_canonical_address()
        kind = MiningChain.configure(
            __name__="PaymentChain", chain_id=number, vm_configuration=((constants.GENESIS_BLOCK_NUMBER, CancunVM),))
        rich = {"balance": 10**26, "nonce": 0, "code": b"", "storage": {}}
        self.chain = kind.from_genesis(
            AtomicDB(), {"difficulty": 0, "gas_limit": 400_000_000, "timestamp": int(time.time())}, {self.owner: rich})
        self.receipts = {}
        self.lost = 0
        self.halted = False
        self.lock = threading.Lock()
        code = vyper.compile_code((pathlib.Path(__file__).parent / "coin.vy").read_text(), output_formats=["bytecode"])["bytecode"]
        self.token = self.own(b"", binary(code) + word(10**15))

    def own(self, to, data, value=0):
        vm = self.chain.get_vm()
        transaction = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(self.owner), gas_price=10**11, gas=5_000_000, to=to, value=value, data=data).as_signed_transaction(self.key)
        _, _, computation = self.chain.apply_transaction(transaction)
        self.note(transaction, computation)
        if computation.is_error:
            raise Refused(str(computation.error))
        return computation.msg.storage_address

    def note(self, transaction, computation):
        name = "0x" + transaction.hash.hex()
        logs = [] if computation.is_error else computation.get_log_entries()
        self.receipts[name] = {
            "transactionHash": name, "status": "0x0" if computation.is_error else "0x1", "gasUsed": hex(computation.get_gas_used()),
            "blockNumber": "0x1", "logs": [
                {"address": "0x" + address.hex(), "topics": ["0x" + word(topic).hex() for topic in topics], "data": "0x" + data.hex(),
                 "transactionHash": name} for address, topics, data in logs]}
        return name

    def fund(self, address, coin, token):
        who = binary(address)
        if int(coin):
            self.own(who, b"", int(coin))
        if int(token):
            self.own(self.token, keccak(b"transfer(address,uint256)")[:4] + word(who) + word(int(token)))
        return True

    def compute(self, call):
        """The outcome of a call that changes nothing."""
        vm = self.chain.get_vm()
        transaction = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(self.owner), gas_price=10**11, gas=5_000_000, to=binary(call["to"]), value=0,
            data=binary(call["data"])).as_signed_transaction(self.key)
        snapshot = vm.state.snapshot()
        computation = vm.state.apply_transaction(transaction)
        vm.state.revert(snapshot)
        if computation.is_error:
            output = computation.output
            reason = output[68 : 68 + int.from_bytes(output[36:68], "big")].decode(errors="replace") if len(output) > 68 else str(computation.error)
            raise Refused("execution reverted: " + reason)
        return computation

    def send(self, raw):
        if self.halted:
            raise Refused("halted")
        data = binary(raw)
        transaction = self.chain.get_vm().get_transaction_builder().decode(data)
        _, receipt, computation = self.chain.apply_transaction(transaction)
        return self.note(transaction, computation)

    def answer(self, method, params):
        match method:
            case "eth_chainId":
                return hex(self.number)
            case "eth_getTransactionCount":
                return hex(self.chain.get_vm().state.get_nonce(binary(params[0])))
            case "eth_getBlockByNumber":
                header = self.chain.get_vm().get_header()
                return {"number": hex(header.block_number), "baseFeePerGas": hex(header.base_fee_per_gas), "timestamp": hex(header.timestamp)}
            case "eth_call":
                return "0x" + self.compute(params[0]).output.hex()
            case "eth_estimateGas":
                return hex(self.compute(params[0]).get_gas_used() + 25_000)
            case "eth_sendRawTransaction":
                return self.send(params[0])
            case "eth_getTransactionReceipt":
                return self.receipts.get(params[0])
            case "eth_getLogs":
                wanted = params[0]
                return [log for receipt in self.receipts.values() for log in receipt["logs"] if log["address"] == wanted["address"] and all(
                    has in (asked if isinstance(asked, list) else [asked]) for has, asked in zip(log["topics"], wanted["topics"]))]
            case "test_call":
                self.own(self.token, binary(params[0]))
                return True
            case "test_halt":
                self.halted = params[0]
                return True
            case "test_fund":
                return self.fund(*params)
            case "test_lose":
                self.lost = params[0]
                return True
            case _:
                raise Refused("there is no method " + method)


def main():
    chain = Chain(int(sys.argv[1]))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = {"jsonrpc": "2.0", "id": asked["id"]}
            with chain.lock:
                try:
                    said["result"] = chain.answer(asked["method"], asked["params"])
                except Exception as error:
                    said["error"] = {"code": -32000, "message": f"{error}"}
                is_lost = chain.lost > 0 and asked["method"] == "eth_sendRawTransaction"
                chain.lost -= is_lost
            if is_lost:
                self.close_connection = True
                return
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port} 0x{chain.token.hex()}", flush=True)
    server.serve_forever()


main()
