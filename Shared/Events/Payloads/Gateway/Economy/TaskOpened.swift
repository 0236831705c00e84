public import Crypto
public import JSON
public import Money

/// Somebody offers money for work. Nothing is paid in yet.
public struct TaskOpened: EventData, Hashable {
    /// `task.opened`.
    public static let type = "task.opened"

    /// The task.
    public var task: String
    /// The first task of its tree; itself for that one.
    public var root: String
    /// The task whose escrow pays it.
    public var parent: String?
    /// Who wants it.
    public var client: String
    /// Who shall do it.
    public var provider: String
    /// Who judges it; the client when there is none.
    public var evaluator: String?
    /// The service that is hired.
    public var service: String?
    /// Commitment to what shall be done.
    public var brief: Digest
    /// What it pays.
    public var amount: Amount
    /// Its stages, which add up to the amount.
    public var milestones: [TaskMilestone]
    /// What of the provider's pay goes on to others.
    public var split: [TaskShare]
    /// The log time by which it must be delivered.
    public var deadline: Timestamp

    /// From its parts.
    public init(
        task: String, root: String, parent: String? = nil, client: String, provider: String, evaluator: String? = nil,
        service: String? = nil, brief: Digest, amount: Amount, milestones: [TaskMilestone], split: [TaskShare], deadline: Timestamp
    ) {
        self.task = task
        self.root = root
        self.parent = parent
        self.client = client
        self.provider = provider
        self.evaluator = evaluator
        self.service = service
        self.brief = brief
        self.amount = amount
        self.milestones = milestones
        self.split = split
        self.deadline = deadline
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "task", "root", "parent", "client", "provider", "evaluator", "service", "brief", "amount", "milestones", "split",
            "deadline",
        ])
        task = try fields.id("task")
        root = try fields.id("root")
        parent = try fields.optionalID("parent")
        client = try fields.id("client")
        provider = try fields.id("provider")
        evaluator = try fields.optionalID("evaluator")
        service = try fields.optionalID("service")
        brief = try fields.digest("brief")
        amount = try fields.amount("amount")
        milestones = try fields.list("milestones") { entry throws(JSONFieldError) in try TaskMilestone(entry) }
        split = try fields.list("split") { entry throws(JSONFieldError) in try TaskShare(entry) }
        deadline = try fields.timestamp("deadline")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "parent": parent.map { .string($0) }, "client": .string(client),
            "provider": .string(provider), "evaluator": evaluator.map { .string($0) }, "service": service.map { .string($0) },
            "brief": .digest(brief), "amount": amount.json, "milestones": .array(milestones.map(\.json)),
            "split": .array(split.map(\.json)), "deadline": .string(deadline.description),
        ])
    }
}

/// A stage of a task.
public struct TaskMilestone: EventPart {
    /// What it pays.
    public var amount: Amount

    /// From its parts.
    public init(
        amount: Amount
    ) {
        self.amount = amount
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["amount"])
        amount = try fields.amount("amount")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "amount": amount.json
        ])
    }
}
