public import JSON
public import Money

/// A payment was made.
public struct PaymentSettled: EventData, Hashable {
    /// `payment.settled`.
    public static let type = "payment.settled"

    /// The payment.
    public var payment: String
    /// What it took.
    public var amount: Amount
    /// Where it is: billing's transfer, the task, or the chain's transaction.
    public var transaction: String

    /// From its parts.
    public init(payment: String, amount: Amount, transaction: String) {
        self.payment = payment
        self.amount = amount
        self.transaction = transaction
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["payment", "amount", "transaction"])
        payment = try fields.id("payment")
        amount = try fields.amount("amount")
        transaction = try fields.id("transaction")
    }

    /// As it is written.
    public var json: JSONValue {
        ["payment": .string(payment), "amount": amount.json, "transaction": .string(transaction)]
    }
}

/// A payment came to nothing, for ever: what was signed for it pays nothing here any more.
public struct PaymentFailed: EventData, Hashable {
    /// `payment.failed`.
    public static let type = "payment.failed"

    /// The payment.
    public var payment: String
    /// Why, a code of x402's.
    public var reason: String

    /// From its parts.
    public init(payment: String, reason: String) {
        self.payment = payment
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["payment", "reason"])
        payment = try fields.id("payment")
        reason = try fields.id("reason")
    }

    /// As it is written.
    public var json: JSONValue { ["payment": .string(payment), "reason": .string(reason)] }
}
