public import JSON

/// Earnings of an owner go to this EVM address from the next epoch on; what an earlier address has not claimed follows.
public struct WalletSet: EventData, Hashable {
    /// `account.wallet-set`.
    public static let type = "account.wallet-set"

    /// The principal.
    public var owner: String
    /// `0x` and 40 lower-case hexadecimal digits.
    public var address: String
    /// The did:key that signed the change; nil when an administrator recovered the wallet.
    public var key: String?
    /// Ed25519 over the change, base64url.
    public var signature: String?

    /// From its parts.
    public init(
        owner: String, address: String, key: String? = nil, signature: String? = nil
    ) {
        self.owner = owner
        self.address = address
        self.key = key
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "address", "key", "signature"])
        owner = try fields.id("owner")
        address = try fields.id("address")
        key = try fields.optionalID("key")
        signature = try fields.optionalID("signature")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .string(owner), "address": .string(address), "key": key.map { .string($0) },
            "signature": signature.map { .string($0) },
        ])
    }
}
