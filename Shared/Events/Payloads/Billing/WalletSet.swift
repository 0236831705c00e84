public import JSON

/// Earnings of an owner go to this EVM address from the next epoch on; what an earlier address has not claimed follows.
///
/// Each change is a link of the owner's chain of wallets: it is signed, with Ed25519 over ``message``, by the key that the change before it
/// named, or by one that may stand in for it. So nobody who holds the log or the house can send an owner's earnings elsewhere.
public struct WalletSet: EventData, Hashable {
    /// `account.wallet-set`.
    public static let type = "account.wallet-set"

    /// The principal.
    public var owner: String
    /// `0x` and 40 lower-case hexadecimal digits.
    public var address: String
    /// From 0, one more for each change of the owner's.
    public var sequence: Int
    /// did:key of the Ed25519 key that signs the next change.
    public var key: String
    /// did:key that may sign the next change in its place, when the key is lost.
    public var recovery: String?
    /// did:key of whoever signed this one.
    public var signer: String
    /// Base64url of the signature.
    public var signature: String
    /// Whether another than the owner's own key signed it.
    public var recovered: Bool

    /// From its parts.
    public init(
        owner: String, address: String, sequence: Int, key: String, recovery: String? = nil, signer: String, signature: String,
        recovered: Bool
    ) {
        self.owner = owner
        self.address = address
        self.sequence = sequence
        self.key = key
        self.recovery = recovery
        self.signer = signer
        self.signature = signature
        self.recovered = recovered
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "address", "sequence", "key", "recovery", "signer", "signature", "recovered"])
        owner = try fields.id("owner")
        address = try fields.id("address")
        sequence = try fields.count("sequence")
        key = try fields.id("key")
        recovery = try fields.optionalID("recovery")
        signer = try fields.id("signer")
        signature = try fields.id("signature")
        recovered = try fields.bool("recovered")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .string(owner), "address": .string(address), "sequence": .count(sequence), "key": .string(key),
            "recovery": recovery.map { .string($0) }, "signer": .string(signer), "signature": .string(signature),
            "recovered": .bool(recovered),
        ])
    }

    /// What is signed: `openledger/wallet`, the owner, the sequence in decimal, the address in lower case, the key and the recovery key
    /// (empty when there is none), a line feed between each two.
    public var message: [UInt8] { Self.message(owner: owner, sequence: sequence, address: address, key: key, recovery: recovery) }

    /// The same of a change that is still to be signed.
    public static func message(owner: String, sequence: Int, address: String, key: String, recovery: String?) -> [UInt8] {
        Array("openledger/wallet\n\(owner)\n\(sequence)\n\(address)\n\(key)\n\(recovery ?? "")".utf8)
    }
}
