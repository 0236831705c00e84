public import JSON
public import Money

/// A stage was accepted, and its pay is due.
public struct TaskCompleted: EventData, Hashable {
    /// `task.completed`.
    public static let type = "task.completed"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// The stage, from 0.
    public var milestone: Int
    /// Who accepted it.
    public var by: String
    /// Who wanted it.
    public var client: String
    /// Who did it.
    public var provider: String
    /// Whose money.
    public var payer: String
    /// What is paid.
    public var amount: Amount
    /// To whom; they add up to the amount.
    public var payouts: [TaskPayout]
    /// The hold that it is taken from.
    public var hold: String?
    /// Whether it was the last stage.
    public var isOver: Bool
    /// Whether what is left of the hold is free.
    public var frees: Bool
    /// The authorisation that ends with it.
    public var authorization: String?
    /// What was accepted of the task and, by who judges it, of those below it.
    public var spent: Amount
    /// Of who accepted it.
    public var signature: TaskSignature?

    /// From its parts.
    public init(
        task: String, root: String, milestone: Int, by: String, client: String, provider: String, payer: String, amount: Amount,
        payouts: [TaskPayout], hold: String? = nil, isOver: Bool, frees: Bool, authorization: String? = nil, spent: Amount,
        signature: TaskSignature? = nil
    ) {
        self.task = task
        self.root = root
        self.milestone = milestone
        self.by = by
        self.client = client
        self.provider = provider
        self.payer = payer
        self.amount = amount
        self.payouts = payouts
        self.hold = hold
        self.isOver = isOver
        self.frees = frees
        self.authorization = authorization
        self.spent = spent
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "task", "root", "milestone", "by", "client", "provider", "payer", "amount", "payouts", "hold", "is_over", "frees",
            "authorization", "spent", "signature",
        ])
        task = try fields.id("task")
        root = try fields.id("root")
        milestone = try fields.count("milestone")
        by = try fields.id("by")
        client = try fields.id("client")
        provider = try fields.id("provider")
        payer = try fields.id("payer")
        amount = try fields.amount("amount")
        payouts = try fields.list("payouts") { entry throws(JSONFieldError) in try TaskPayout(entry) }
        hold = try fields.optionalID("hold")
        isOver = try fields.bool("is_over")
        frees = try fields.bool("frees")
        authorization = try fields.optionalID("authorization")
        spent = try fields.amount("spent")
        if let part = try fields.optionalObject("signature") { signature = try TaskSignature(part) } else { signature = nil }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "milestone": .count(milestone), "by": .string(by), "client": .string(client),
            "provider": .string(provider), "payer": .string(payer), "amount": amount.json, "payouts": .array(payouts.map(\.json)),
            "hold": hold.map { .string($0) }, "is_over": .bool(isOver), "frees": .bool(frees),
            "authorization": authorization.map { .string($0) }, "spent": spent.json, "signature": signature?.json,
        ])
    }
}

/// A stage of a task below another was accepted by who judges that task. Its pay is set aside in the escrow above, and is due, as a
/// ``TaskCompleted`` of its own, when whoever judges the work above, up to the first of the tree, has accepted that.
public struct TaskAccepted: EventData, Hashable {
    /// `task.accepted`.
    public static let type = "task.accepted"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// The stage, from 0.
    public var milestone: Int
    /// Who accepted it.
    public var by: String
    /// What it earned.
    public var amount: Amount
    /// To whom that will go; they add up to the amount.
    public var payouts: [TaskPayout]
    /// Whether it was the last stage.
    public var isOver: Bool
    /// Of who accepted it.
    public var signature: TaskSignature?

    /// From its parts.
    public init(
        task: String, root: String, milestone: Int, by: String, amount: Amount, payouts: [TaskPayout], isOver: Bool,
        signature: TaskSignature? = nil
    ) {
        self.task = task
        self.root = root
        self.milestone = milestone
        self.by = by
        self.amount = amount
        self.payouts = payouts
        self.isOver = isOver
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["task", "root", "milestone", "by", "amount", "payouts", "is_over", "signature"])
        task = try fields.id("task")
        root = try fields.id("root")
        milestone = try fields.count("milestone")
        by = try fields.id("by")
        amount = try fields.amount("amount")
        payouts = try fields.list("payouts") { entry throws(JSONFieldError) in try TaskPayout(entry) }
        isOver = try fields.bool("is_over")
        if let part = try fields.optionalObject("signature") { signature = try TaskSignature(part) } else { signature = nil }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "milestone": .count(milestone), "by": .string(by), "amount": amount.json,
            "payouts": .array(payouts.map(\.json)), "is_over": .bool(isOver), "signature": signature?.json,
        ])
    }
}

/// A task came to nothing: what is left of its escrow goes back.
public struct TaskRejected: EventData, Hashable {
    /// `task.rejected`.
    public static let type = "task.rejected"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// Who ended it.
    public var by: String
    /// A code: `declined`, `refused`, `parent-ended` or `mandate-revoked`.
    public var reason: String
    /// The hold that is free with it.
    public var hold: String?
    /// The authorisation that ends with it.
    public var authorization: String?
    /// What was accepted of the task and, by who judges it, of those below it; nothing for one that was not funded.
    public var spent: Amount?

    /// From its parts.
    public init(
        task: String, root: String, by: String, reason: String, hold: String? = nil, authorization: String? = nil,
        spent: Amount? = nil
    ) {
        self.task = task
        self.root = root
        self.by = by
        self.reason = reason
        self.hold = hold
        self.authorization = authorization
        self.spent = spent
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["task", "root", "by", "reason", "hold", "authorization", "spent"])
        task = try fields.id("task")
        root = try fields.id("root")
        by = try fields.id("by")
        reason = try fields.id("reason")
        hold = try fields.optionalID("hold")
        authorization = try fields.optionalID("authorization")
        spent = try fields.optionalAmount("spent")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "by": .string(by), "reason": .string(reason),
            "hold": hold.map { .string($0) }, "authorization": authorization.map { .string($0) }, "spent": spent?.json,
        ])
    }
}

/// A task was not delivered, or not judged, in time: what is left of its escrow goes back.
public struct TaskExpired: EventData, Hashable {
    /// `task.expired`.
    public static let type = "task.expired"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// The hold that is free with it.
    public var hold: String?
    /// The authorisation that ends with it.
    public var authorization: String?
    /// What was accepted of the task and, by who judges it, of those below it; nothing for one that was not funded.
    public var spent: Amount?

    /// From its parts.
    public init(
        task: String, root: String, hold: String? = nil, authorization: String? = nil, spent: Amount? = nil
    ) {
        self.task = task
        self.root = root
        self.hold = hold
        self.authorization = authorization
        self.spent = spent
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["task", "root", "hold", "authorization", "spent"])
        task = try fields.id("task")
        root = try fields.id("root")
        hold = try fields.optionalID("hold")
        authorization = try fields.optionalID("authorization")
        spent = try fields.optionalAmount("spent")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "hold": hold.map { .string($0) },
            "authorization": authorization.map { .string($0) }, "spent": spent?.json,
        ])
    }
}
