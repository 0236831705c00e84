internal import Crypto

/// A permit to take up to so much of a token, once, for one payee by one facilitator: the `upto` scheme of x402 on Permit2.
public struct UptoPermit: Sendable, Hashable {
    /// The contract Permit2, the same on every chain: whose signatures these are.
    public static let permit2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
    /// The contract of x402 that may take the token.
    public static let proxy = "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002"

    /// Whose token.
    public var from: EVMAddress
    /// Which token.
    public var token: EVMAddress
    /// The most, in the token's minor units.
    public var amount: Word
    /// Who may take it.
    public var spender: EVMAddress
    /// The owner's name for it.
    public var nonce: Word
    /// It holds until this second since 1970.
    public var deadline: Word
    /// Who gets it.
    public var to: EVMAddress
    /// Who says how much.
    public var facilitator: EVMAddress
    /// It holds from this second since 1970.
    public var validAfter: Word

    /// From its parts.
    public init(
        from: EVMAddress, token: EVMAddress, amount: Word, spender: EVMAddress, nonce: Word, deadline: Word, to: EVMAddress,
        facilitator: EVMAddress, validAfter: Word
    ) {
        self.from = from
        self.token = token
        self.amount = amount
        self.spender = spender
        self.nonce = nonce
        self.deadline = deadline
        self.to = to
        self.facilitator = facilitator
        self.validAfter = validAfter
    }

    private static let permissions = "TokenPermissions(address token,uint256 amount)"
    private static let witness = "Witness(address to,address facilitator,uint256 validAfter)"
    private static let type =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)"
        + permissions + witness

    /// What its owner signs, on a chain.
    public func digest(chainID: UInt64) -> [UInt8]? {
        guard let contract = EVMAddress(Self.permit2) else { return nil }
        let members = [
            TypedData.hash(Self.permissions, [Word(token), amount]), Word(spender), nonce, deadline,
            TypedData.hash(Self.witness, [Word(to), Word(facilitator), validAfter]),
        ]
        return TypedData.digest(
            domain: TypedData.domain(name: "Permit2", version: nil, chainID: chainID, contract: contract),
            structure: TypedData.hash(Self.type, members))
    }
}
