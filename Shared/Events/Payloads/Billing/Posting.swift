public import JSON
public import Money

/// One entry of a journal transaction: an account's balance changes by an amount, up when it is above zero.
public struct Posting: EventPart {
    /// Whose balance.
    public var account: AccountID
    /// By how much; never zero.
    public var amount: Amount

    /// From its parts.
    public init(
        account: AccountID, amount: Amount
    ) {
        self.account = account
        self.amount = amount
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "amount"])
        account = try fields.account("account")
        amount = try fields.amount("amount")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "amount": amount.json,
        ])
    }
}
