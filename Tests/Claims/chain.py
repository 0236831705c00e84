"""A chain in this process: py-evm with the distributor and a token on it, both compiled by Vyper."""

import pathlib

import vyper
from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks import CancunVM
from eth_hash.auto import keccak
from eth_keys import keys

GAS = 5_000_000


def compiled(path):
    return bytes.fromhex(vyper.compile_code(pathlib.Path(path).read_text(), output_formats=["bytecode"])["bytecode"][2:])


def word(value):
    if isinstance(value, bytes):
        return value.rjust(32, b"\0")
    return value.to_bytes(32, "big")


def call(signature, *arguments):
    """A call's data; a list is a dynamic array of words and comes last."""
    head, tail = b"", b""
    for argument in arguments:
        if isinstance(argument, list):
            head += word(32 * len(arguments))
            tail = word(len(argument)) + b"".join(word(entry) for entry in argument)
        else:
            head += word(argument)
    return keccak(signature.encode())[:4] + head + tail


class Reverted(Exception):
    pass


class Chain:
    def __init__(self):
        self.key = keys.PrivateKey(b"\x01" * 32)
        self.owner = self.key.public_key.to_canonical_address()
        self.stranger = keys.PrivateKey(b"\x02" * 32)
        rich = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        kind = MiningChain.configure(__name__="TestChain", vm_configuration=((constants.GENESIS_BLOCK_NUMBER, CancunVM),))
        genesis = {"difficulty": 0, "gas_limit": 400_000_000, "timestamp": 0}
        accounts = {self.owner: rich, self.stranger.public_key.to_canonical_address(): rich}
        self.chain = kind.from_genesis(AtomicDB(), genesis, accounts)
        self.gas = 0

    def send(self, to, data, key=None):
        """Sends a transaction; the address of what it made, or what it returned."""
        key = key or self.key
        sender = key.public_key.to_canonical_address()
        vm = self.chain.get_vm()
        transaction = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(sender), gas_price=10**10, gas=GAS, to=to, value=0, data=data
        ).as_signed_transaction(key)
        _, receipt, computation = self.chain.apply_transaction(transaction)
        if computation.is_error:
            raise Reverted(self.reason(computation.output))
        self.gas = computation.get_gas_used()
        return computation.msg.storage_address if to == b"" else computation.output

    @staticmethod
    def reason(output):
        """The text of Error(string)."""
        if output[:4] != keccak(b"Error(string)")[:4]:
            return output.hex()
        length = int.from_bytes(output[36:68], "big")
        return output[68 : 68 + length].decode()

    def deploy(self, code, *arguments):
        return self.send(b"", code + b"".join(word(argument) for argument in arguments))

    def must_revert(self, reason, to, data, key=None):
        try:
            self.send(to, data, key)
        except Reverted as error:
            if str(error) == reason:
                return
            raise SystemExit(f"claims: reverted with {error!s}, not {reason}")
        raise SystemExit(f"claims: not reverted: {reason}")
