public import JSON
public import Money

/// What a mandate allows. A list that is absent allows all; along the tree every list must allow a payment.
public struct MandateTerms: EventPart {
    /// The most that may be spent in a period, by the mandate and all below it.
    public var budget: Amount
    /// `once`, `hour`, `day`, `week` or `month`; the whole tree has the same.
    public var period: String
    /// The most of one payment.
    public var perPayment: Amount?
    /// Payments above this need the word of a human.
    public var approvalAbove: Amount?
    /// Principals that may be paid.
    public var payees: [String]?
    /// Services that may be hired.
    public var services: [String]?
    /// Models that may be asked.
    public var models: [String]?
    /// How often it may be used.
    public var recurrence: MandateRecurrence?
    /// The log time from which it is void.
    public var expires: Timestamp
    /// Whether the whole budget is taken out of the parent's at once, so that nobody else can spend it; else it is a ceiling on what is
    /// drawn from the parent's as it is spent.
    public var carved: Bool

    /// From its parts.
    public init(
        budget: Amount, period: String, perPayment: Amount? = nil, approvalAbove: Amount? = nil, payees: [String]? = nil,
        services: [String]? = nil, models: [String]? = nil, recurrence: MandateRecurrence? = nil, expires: Timestamp, carved: Bool
    ) {
        self.budget = budget
        self.period = period
        self.perPayment = perPayment
        self.approvalAbove = approvalAbove
        self.payees = payees
        self.services = services
        self.models = models
        self.recurrence = recurrence
        self.expires = expires
        self.carved = carved
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "budget", "period", "per_payment", "approval_above", "payees", "services", "models", "recurrence", "expires",
            "carved",
        ])
        budget = try fields.amount("budget")
        period = try fields.id("period")
        perPayment = try fields.optionalAmount("per_payment")
        approvalAbove = try fields.optionalAmount("approval_above")
        payees = fields.optionalField("payees") == nil ? nil : try fields.ids("payees")
        services = fields.optionalField("services") == nil ? nil : try fields.ids("services")
        models = fields.optionalField("models") == nil ? nil : try fields.ids("models")
        if let part = try fields.optionalObject("recurrence") { recurrence = try MandateRecurrence(part) } else { recurrence = nil }
        expires = try fields.timestamp("expires")
        carved = try fields.bool("carved")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "budget": budget.json, "period": .string(period), "per_payment": perPayment?.json, "approval_above": approvalAbove?.json,
            "payees": payees.map { .texts($0) }, "services": services.map { .texts($0) }, "models": models.map { .texts($0) },
            "recurrence": recurrence?.json, "expires": .string(expires.description), "carved": .bool(carved),
        ])
    }
}

/// At most so many payments in each interval.
public struct MandateRecurrence: EventPart {
    /// `hour`, `day`, `week` or `month`.
    public var every: String
    /// How many payments.
    public var most: Int

    /// From its parts.
    public init(
        every: String, most: Int
    ) {
        self.every = every
        self.most = most
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["every", "most"])
        every = try fields.id("every")
        most = try fields.count("most")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "every": .string(every), "most": .count(most),
        ])
    }
}
