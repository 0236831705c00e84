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
    /// The least of one payment, by what it may cost at most.
    public var minimum: Amount?
    /// Payments above this need the word of a human.
    public var approvalAbove: Amount?
    /// Principals that may be paid.
    public var payees: [String]?
    /// Services that may be hired.
    public var services: [String]?
    /// Models that may be asked.
    public var models: [String]?
    /// What payments may be for: `inference`, `task`, `payment` (signed words).
    public var purposes: [String]?
    /// Tasks that may be funded; with it nothing else may be paid.
    public var tasks: [String]?
    /// How often it may be used.
    public var recurrence: MandateRecurrence?
    /// The log time before which it pays nothing.
    public var notBefore: Timestamp?
    /// The log time from which it is void.
    public var expires: Timestamp
    /// Whether the whole budget is taken out of the parent's at once, so that nobody else can spend it; else it is a ceiling on what is
    /// drawn from the parent's as it is spent.
    public var carved: Bool

    /// From its parts.
    public init(
        budget: Amount, period: String, perPayment: Amount? = nil, minimum: Amount? = nil, approvalAbove: Amount? = nil,
        payees: [String]? = nil, services: [String]? = nil, models: [String]? = nil, purposes: [String]? = nil, tasks: [String]? = nil,
        recurrence: MandateRecurrence? = nil, notBefore: Timestamp? = nil, expires: Timestamp, carved: Bool
    ) {
        self.budget = budget
        self.period = period
        self.perPayment = perPayment
        self.minimum = minimum
        self.approvalAbove = approvalAbove
        self.payees = payees
        self.services = services
        self.models = models
        self.purposes = purposes
        self.tasks = tasks
        self.recurrence = recurrence
        self.notBefore = notBefore
        self.expires = expires
        self.carved = carved
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "budget", "period", "per_payment", "minimum", "approval_above", "payees", "services", "models", "purposes", "tasks",
            "recurrence", "not_before", "expires", "carved",
        ])
        budget = try fields.amount("budget")
        period = try fields.id("period")
        perPayment = try fields.optionalAmount("per_payment")
        minimum = try fields.optionalAmount("minimum")
        approvalAbove = try fields.optionalAmount("approval_above")
        payees = fields.optionalField("payees") == nil ? nil : try fields.ids("payees")
        services = fields.optionalField("services") == nil ? nil : try fields.ids("services")
        models = fields.optionalField("models") == nil ? nil : try fields.ids("models")
        purposes = fields.optionalField("purposes") == nil ? nil : try fields.ids("purposes")
        tasks = fields.optionalField("tasks") == nil ? nil : try fields.ids("tasks")
        notBefore = try fields.optionalTimestamp("not_before")
        if let part = try fields.optionalObject("recurrence") { recurrence = try MandateRecurrence(part) } else { recurrence = nil }
        expires = try fields.timestamp("expires")
        carved = try fields.bool("carved")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "budget": budget.json, "period": .string(period), "per_payment": perPayment?.json, "minimum": minimum?.json,
            "approval_above": approvalAbove?.json,
            "payees": payees.map { .texts($0) }, "services": services.map { .texts($0) }, "models": models.map { .texts($0) },
            "purposes": purposes.map { .texts($0) }, "tasks": tasks.map { .texts($0) }, "recurrence": recurrence?.json,
            "not_before": notBefore.map { .string($0.description) }, "expires": .string(expires.description), "carved": .bool(carved),
        ])
    }
}

/// At most so many payments in each interval.
public struct MandateRecurrence: EventPart {
    /// `once`, `hour`, `day`, `week`, `fortnight`, `month`, `quarter` or `year`.
    public var every: String
    /// How many payments.
    public var most: Int
    /// How many in all, whatever the interval.
    public var total: Int?

    /// From its parts.
    public init(
        every: String, most: Int, total: Int? = nil
    ) {
        self.every = every
        self.most = most
        self.total = total
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["every", "most", "total"])
        every = try fields.id("every")
        most = try fields.count("most")
        total = fields.optionalField("total") == nil ? nil : try fields.count("total")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "every": .string(every), "most": .count(most), "total": total.map { .count($0) },
        ])
    }
}
