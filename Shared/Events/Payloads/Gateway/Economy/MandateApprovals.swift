public import JSON
public import Money

/// An agent asks a human for a payment above its threshold.
public struct ApprovalRequested: EventData, Hashable {
    /// `mandate.approval-requested`.
    public static let type = "mandate.approval-requested"

    /// The request.
    public var approval: String
    /// Under which mandate.
    public var mandate: String
    /// Its tree.
    public var root: String
    /// Who asks.
    public var agent: String
    /// How much: for an answer, at most.
    public var amount: Amount
    /// What for: `inference`, `task` or `payment`; nil in early events, whose answer is good for none of them.
    public var purpose: String?
    /// The task that would be funded.
    public var task: String?
    /// Who would be paid.
    public var payee: String?
    /// What would be hired.
    public var service: String?
    /// What would be asked.
    public var model: String?

    /// From its parts.
    public init(
        approval: String, mandate: String, root: String, agent: String, amount: Amount, purpose: String? = nil, task: String? = nil,
        payee: String? = nil, service: String? = nil, model: String? = nil
    ) {
        self.approval = approval
        self.mandate = mandate
        self.root = root
        self.agent = agent
        self.amount = amount
        self.purpose = purpose
        self.task = task
        self.payee = payee
        self.service = service
        self.model = model
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["approval", "mandate", "root", "agent", "amount", "purpose", "task", "payee", "service", "model"])
        approval = try fields.id("approval")
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        agent = try fields.id("agent")
        amount = try fields.amount("amount")
        purpose = try fields.optionalID("purpose")
        task = try fields.optionalID("task")
        payee = try fields.optionalID("payee")
        service = try fields.optionalID("service")
        model = try fields.optionalID("model")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "approval": .string(approval), "mandate": .string(mandate), "root": .string(root), "agent": .string(agent),
            "amount": amount.json, "purpose": purpose.map { .string($0) }, "task": task.map { .string($0) },
            "payee": payee.map { .string($0) }, "service": service.map { .string($0) }, "model": model.map { .string($0) },
        ])
    }
}

/// The human answered.
public struct ApprovalDecided: EventData, Hashable {
    /// `mandate.approval-decided`.
    public static let type = "mandate.approval-decided"

    /// The request.
    public var approval: String
    /// The mandate's tree.
    public var root: String
    /// Who answered.
    public var by: String
    /// Whether the payment may be made, once.
    public var granted: Bool
    /// Until when.
    public var expires: Timestamp

    /// From its parts.
    public init(
        approval: String, root: String, by: String, granted: Bool, expires: Timestamp
    ) {
        self.approval = approval
        self.root = root
        self.by = by
        self.granted = granted
        self.expires = expires
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["approval", "root", "by", "granted", "expires"])
        approval = try fields.id("approval")
        root = try fields.id("root")
        by = try fields.id("by")
        granted = try fields.bool("granted")
        expires = try fields.timestamp("expires")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "approval": .string(approval), "root": .string(root), "by": .string(by), "granted": .bool(granted),
            "expires": .string(expires.description),
        ])
    }
}
