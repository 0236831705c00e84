public import JSON
public import Money

/// A payment was authorised: its amount counts against the mandate and every one above it from now on.
public struct MandateAuthorized: EventData, Hashable {
    /// `mandate.authorized`.
    public static let type = "mandate.authorized"

    /// The authorisation.
    public var authorization: String
    /// Under which mandate.
    public var mandate: String
    /// Its tree.
    public var root: String
    /// Who spends.
    public var agent: String
    /// Whose money.
    public var payer: String
    /// The most that it will cost.
    public var amount: Amount
    /// `inference`, `task` or `payment`.
    public var purpose: String
    /// Who is paid.
    public var payee: String?
    /// What is hired.
    public var service: String?
    /// What is asked.
    public var model: String?
    /// The task that it is for.
    public var task: String?
    /// The human's word for it.
    public var approval: String?
    /// The log time that periods are counted by.
    public var at: Timestamp
    /// The log time from which it may be set free.
    public var expires: Timestamp

    /// From its parts.
    public init(
        authorization: String, mandate: String, root: String, agent: String, payer: String, amount: Amount, purpose: String,
        payee: String? = nil, service: String? = nil, model: String? = nil, task: String? = nil, approval: String? = nil,
        at: Timestamp, expires: Timestamp
    ) {
        self.authorization = authorization
        self.mandate = mandate
        self.root = root
        self.agent = agent
        self.payer = payer
        self.amount = amount
        self.purpose = purpose
        self.payee = payee
        self.service = service
        self.model = model
        self.task = task
        self.approval = approval
        self.at = at
        self.expires = expires
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "authorization", "mandate", "root", "agent", "payer", "amount", "purpose", "payee", "service", "model", "task",
            "approval", "at", "expires",
        ])
        authorization = try fields.id("authorization")
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        agent = try fields.id("agent")
        payer = try fields.id("payer")
        amount = try fields.amount("amount")
        purpose = try fields.id("purpose")
        payee = try fields.optionalID("payee")
        service = try fields.optionalID("service")
        model = try fields.optionalID("model")
        task = try fields.optionalID("task")
        approval = try fields.optionalID("approval")
        at = try fields.timestamp("at")
        expires = try fields.timestamp("expires")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "authorization": .string(authorization), "mandate": .string(mandate), "root": .string(root), "agent": .string(agent),
            "payer": .string(payer), "amount": amount.json, "purpose": .string(purpose), "payee": payee.map { .string($0) },
            "service": service.map { .string($0) }, "model": model.map { .string($0) }, "task": task.map { .string($0) },
            "approval": approval.map { .string($0) }, "at": .string(at.description), "expires": .string(expires.description),
        ])
    }
}

/// What an authorised payment came to; the rest is free.
public struct MandateSettled: EventData, Hashable {
    /// `mandate.settled`.
    public static let type = "mandate.settled"

    /// The authorisation.
    public var authorization: String
    /// Its mandate.
    public var mandate: String
    /// Its tree.
    public var root: String
    /// What was spent.
    public var amount: Amount

    /// From its parts.
    public init(
        authorization: String, mandate: String, root: String, amount: Amount
    ) {
        self.authorization = authorization
        self.mandate = mandate
        self.root = root
        self.amount = amount
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["authorization", "mandate", "root", "amount"])
        authorization = try fields.id("authorization")
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        amount = try fields.amount("amount")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "authorization": .string(authorization), "mandate": .string(mandate), "root": .string(root), "amount": amount.json,
        ])
    }
}

/// Nothing came of an authorised payment.
public struct MandateFreed: EventData, Hashable {
    /// `mandate.freed`.
    public static let type = "mandate.freed"

    /// The authorisation.
    public var authorization: String
    /// Its mandate.
    public var mandate: String
    /// Its tree.
    public var root: String
    /// `released` or `expired`.
    public var reason: String

    /// From its parts.
    public init(
        authorization: String, mandate: String, root: String, reason: String
    ) {
        self.authorization = authorization
        self.mandate = mandate
        self.root = root
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["authorization", "mandate", "root", "reason"])
        authorization = try fields.id("authorization")
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        reason = try fields.id("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "authorization": .string(authorization), "mandate": .string(mandate), "root": .string(root), "reason": .string(reason),
        ])
    }
}
