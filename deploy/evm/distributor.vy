# pragma version 0.4.3
# @license Apache-2.0
"""
@title Pays what closed epochs give to wallets
@notice Each epoch's root is that of an OpenZeppelin StandardMerkleTree (standard-v1) over (address, uint256), the amount being all that a
        wallet has earned since the first epoch. A claim pays what the wallet has not had yet, so a claim that was missed is in the next
        one, and the same claim pays once.
"""

interface Token:
    def transfer(to: address, amount: uint256) -> bool: nonpayable

event RootSet:
    epoch: indexed(uint256)
    root: bytes32

event Claimed:
    wallet: indexed(address)
    amount: uint256
    cumulative: uint256

token: public(immutable(address))
owner: public(address)
epoch: public(uint256)
root: public(bytes32)
claimed: public(HashMap[address, uint256])


@deploy
def __init__(pays: address):
    token = pays
    self.owner = msg.sender


@external
def hand_over(next: address):
    """
    @notice Gives the right to set roots to somebody else.
    """
    assert msg.sender == self.owner, "not the owner"
    assert next != empty(address), "nobody"
    self.owner = next


@external
def set_root(epoch: uint256, root: bytes32):
    """
    @notice Sets the root of an epoch that was closed. Epochs only go forward.
    """
    assert msg.sender == self.owner, "not the owner"
    assert epoch > self.epoch, "epoch is over"
    self.epoch = epoch
    self.root = root
    log RootSet(epoch=epoch, root=root)


@external
def claim(wallet: address, cumulative: uint256, proof: DynArray[bytes32, 32]) -> uint256:
    """
    @notice Pays a wallet what it has earned and not had yet. Anybody may send it; the money goes to the wallet.
    """
    node: bytes32 = keccak256(keccak256(abi_encode(wallet, cumulative)))
    for sibling: bytes32 in proof:
        if convert(node, uint256) < convert(sibling, uint256):
            node = keccak256(concat(node, sibling))
        else:
            node = keccak256(concat(sibling, node))
    assert node == self.root, "proof is not of this epoch"
    had: uint256 = self.claimed[wallet]
    assert cumulative > had, "claimed already"
    # Noted before the token is called: a token that calls back finds nothing left.
    self.claimed[wallet] = cumulative
    amount: uint256 = cumulative - had
    assert extcall Token(token).transfer(wallet, amount), "the token refused"
    log Claimed(wallet=wallet, amount=amount, cumulative=cumulative)
    return amount
