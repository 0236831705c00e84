public import Crypto

/// A transfer of a token that its owner has signed and that anybody may carry out, once (EIP-3009).
public struct TransferAuthorization: Sendable, Hashable {
    /// Whose token.
    public var from: EVMAddress
    /// Who gets it.
    public var to: EVMAddress
    /// How much, in the token's minor units.
    public var value: Word
    /// It holds after this second since 1970.
    public var validAfter: Word
    /// It holds before this second since 1970.
    public var validBefore: Word
    /// The owner's name for it.
    public var nonce: Word

    /// From its parts.
    public init(from: EVMAddress, to: EVMAddress, value: Word, validAfter: Word, validBefore: Word, nonce: Word) {
        self.from = from
        self.to = to
        self.value = value
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.nonce = nonce
    }

    private static let type =
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    private static let selector = Keccak256.hash(
        Array(
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)".utf8)
    ).prefix(4)

    private var members: [Word] { [Word(from), Word(to), value, validAfter, validBefore, nonce] }

    /// What its owner signs.
    public func digest(domain: Word) -> [UInt8] { TypedData.digest(domain: domain, structure: TypedData.hash(Self.type, members)) }

    /// The call that carries it out.
    public func call(_ signature: Secp256k1Signature) -> [UInt8] {
        Self.selector + members.flatMap(\.bytes) + Word(UInt128(signature.recovery) + 27).bytes + signature.compact
    }
}

/// What a token's contract answers about it; calls to be made without a transaction.
public enum TokenCall {
    /// How much an address has.
    public static func balance(of owner: EVMAddress) -> [UInt8] { selector("balanceOf(address)") + Word(owner).bytes }

    /// Whether an authorisation was carried out, or cancelled (EIP-3009).
    public static func isUsed(_ nonce: Word, of owner: EVMAddress) -> [UInt8] {
        selector("authorizationState(address,bytes32)") + Word(owner).bytes + nonce.bytes
    }

    private static func selector(_ signature: String) -> [UInt8] { Array(Keccak256.hash(Array(signature.utf8)).prefix(4)) }
}
