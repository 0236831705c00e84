public import JSON
public import Money

/// An account may now be used in one asset.
public struct AccountOpened: EventData, Hashable {
    /// `account.opened`.
    public static let type = "account.opened"

    /// Which account.
    public var account: AccountID
    /// In which asset.
    public var asset: Asset
    /// How far below zero the balance may go; nil for no overdraft.
    public var overdraft: Amount?
    /// The most the balance may be; nil for no ceiling.
    public var ceiling: Amount?

    /// From its parts.
    public init(
        account: AccountID, asset: Asset, overdraft: Amount? = nil, ceiling: Amount? = nil
    ) {
        self.account = account
        self.asset = asset
        self.overdraft = overdraft
        self.ceiling = ceiling
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "asset", "overdraft", "ceiling"])
        account = try fields.account("account")
        asset = try fields.asset("asset")
        overdraft = try fields.optionalAmount("overdraft")
        ceiling = try fields.optionalAmount("ceiling")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "asset": .string(asset.text), "overdraft": overdraft?.json, "ceiling": ceiling?.json,
        ])
    }
}
