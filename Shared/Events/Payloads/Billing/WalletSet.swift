public import JSON

/// Earnings of an owner go to this EVM address from the next epoch on; what an earlier address has not claimed follows.
public struct WalletSet: EventData, Hashable {
    /// `account.wallet-set`.
    public static let type = "account.wallet-set"

    /// The principal.
    public var owner: String
    /// `0x` and 40 lower-case hexadecimal digits.
    public var address: String
    /// Whether it was changed for an owner who lost the earlier one, by somebody who may.
    public var recovered: Bool

    /// From its parts.
    public init(
        owner: String, address: String, recovered: Bool
    ) {
        self.owner = owner
        self.address = address
        self.recovered = recovered
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "address", "recovered"])
        owner = try fields.id("owner")
        address = try fields.id("address")
        recovered = try fields.bool("recovered")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .string(owner), "address": .string(address), "recovered": .bool(recovered),
        ])
    }
}
