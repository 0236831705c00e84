public import JSON
public import Money

/// Part of a stake will be free once log time reaches the moment given; until then it can be slashed.
public struct StakeUnbonded: EventData, Hashable {
    /// `stake.unbonded`.
    public static let type = "stake.unbonded"

    /// The unbonding.
    public var id: String
    /// The pool.
    public var pool: String
    /// Whose stake.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// When it is free.
    public var releaseAt: Timestamp

    /// From its parts.
    public init(
        id: String, pool: String, account: AccountID, amount: Amount, releaseAt: Timestamp
    ) {
        self.id = id
        self.pool = pool
        self.account = account
        self.amount = amount
        self.releaseAt = releaseAt
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "pool", "account", "amount", "release_at"])
        id = try fields.id("id")
        pool = try fields.id("pool")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        releaseAt = try fields.timestamp("release_at")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "pool": .string(pool), "account": .string(account.text), "amount": amount.json,
            "release_at": .string(releaseAt.description),
        ])
    }
}
