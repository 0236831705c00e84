# pragma version 0.4.3
"""
@notice A token that is paid by signed authorisations (EIP-3009), as much of it as x402 needs, for tests.
"""


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)

event AuthorizationCanceled:
    authorizer: indexed(address)
    nonce: indexed(bytes32)

balanceOf: public(HashMap[address, uint256])
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])
name: public(constant(String[8])) = "Coin"
version: public(constant(String[4])) = "2"
decimals: public(constant(uint8)) = 6

DOMAIN: constant(bytes32) = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
TRANSFER: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)

CANCEL: constant(bytes32) = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)")


@deploy
def __init__(supply: uint256):
    self.balanceOf[msg.sender] = supply


@external
def transfer(to: address, amount: uint256) -> bool:
    assert self.balanceOf[msg.sender] >= amount, "not enough"
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=msg.sender, receiver=to, amount=amount)
    return True


@external
def transferWithAuthorization(
    owner: address, to: address, amount: uint256, validAfter: uint256, validBefore: uint256, nonce: bytes32, v: uint8, r: bytes32, s: bytes32
):
    assert block.timestamp > validAfter, "not yet valid"
    assert block.timestamp < validBefore, "expired"
    assert not self.authorizationState[owner][nonce], "used"
    domain: bytes32 = keccak256(abi_encode(DOMAIN, keccak256("Coin"), keccak256("2"), chain.id, self))
    structure: bytes32 = keccak256(abi_encode(TRANSFER, owner, to, amount, validAfter, validBefore, nonce))
    digest: bytes32 = keccak256(concat(b"\x19\x01", domain, structure))
    assert ecrecover(digest, v, r, s) == owner, "invalid signature"
    self.authorizationState[owner][nonce] = True
    log AuthorizationUsed(authorizer=owner, nonce=nonce)
    assert self.balanceOf[owner] >= amount, "not enough"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, amount=amount)


@external
def cancelAuthorization(owner: address, nonce: bytes32, v: uint8, r: bytes32, s: bytes32):
    assert not self.authorizationState[owner][nonce], "used"
    domain: bytes32 = keccak256(abi_encode(DOMAIN, keccak256("Coin"), keccak256("2"), chain.id, self))
    digest: bytes32 = keccak256(concat(b"\x19\x01", domain, keccak256(abi_encode(CANCEL, owner, nonce))))
    assert ecrecover(digest, v, r, s) == owner, "invalid signature"
    self.authorizationState[owner][nonce] = True
    log AuthorizationCanceled(authorizer=owner, nonce=nonce)
