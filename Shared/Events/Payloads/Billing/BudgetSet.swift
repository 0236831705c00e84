public import JSON
public import Money

/// A payer wants to be told when fees of a month come near to an amount. It stops nothing: limits of keys and mandates do that.
public struct BudgetSet: EventData, Hashable {
    /// `account.budget-set`.
    public static let type = "account.budget-set"

    /// The payer's account.
    public var account: AccountID
    /// Of a calendar month in UTC; zero for no budget any more.
    public var budget: Amount
    /// Basis points of the budget at which to tell, rising.
    public var thresholds: [Int]

    /// From its parts.
    public init(account: AccountID, budget: Amount, thresholds: [Int]) {
        self.account = account
        self.budget = budget
        self.thresholds = thresholds
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "budget", "thresholds"])
        account = try fields.account("account")
        budget = try fields.amount("budget")
        thresholds = try fields.counts("thresholds", atMost: 10)
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "budget": budget.json, "thresholds": .array(thresholds.map { .count($0) }),
        ])
    }
}

/// Fees of a month have crossed a threshold of a payer's budget.
public struct BudgetAlerted: EventData, Hashable {
    /// `account.budget-alerted`.
    public static let type = "account.budget-alerted"

    /// The payer's account.
    public var account: AccountID
    /// The month, `2026-11`.
    public var period: String
    /// The highest threshold that was crossed, in basis points of the budget.
    public var threshold: Int
    /// The fees of the month so far.
    public var spent: Amount
    /// The budget.
    public var budget: Amount

    /// From its parts.
    public init(account: AccountID, period: String, threshold: Int, spent: Amount, budget: Amount) {
        self.account = account
        self.period = period
        self.threshold = threshold
        self.spent = spent
        self.budget = budget
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "period", "threshold", "spent", "budget"])
        account = try fields.account("account")
        period = try fields.id("period")
        threshold = try fields.count("threshold")
        spent = try fields.amount("spent")
        budget = try fields.amount("budget")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "period": .string(period), "threshold": .count(threshold), "spent": spent.json,
            "budget": budget.json,
        ])
    }
}
