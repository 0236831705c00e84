public import JSON
public import Money

/// The money for a task is reserved: by a hold on the payer's balance, or as part of the escrow of the task above it.
public struct TaskFunded: EventData, Hashable {
    /// `task.funded`.
    public static let type = "task.funded"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// Whose money.
    public var payer: String
    /// How much.
    public var amount: Amount
    /// Billing's hold, on the first task of a tree.
    public var hold: String?
    /// The mandate that it is spent under.
    public var mandate: String?
    /// The authorisation.
    public var authorization: String?

    /// From its parts.
    public init(
        task: String, root: String, payer: String, amount: Amount, hold: String? = nil, mandate: String? = nil,
        authorization: String? = nil
    ) {
        self.task = task
        self.root = root
        self.payer = payer
        self.amount = amount
        self.hold = hold
        self.mandate = mandate
        self.authorization = authorization
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["task", "root", "payer", "amount", "hold", "mandate", "authorization"])
        task = try fields.id("task")
        root = try fields.id("root")
        payer = try fields.id("payer")
        amount = try fields.amount("amount")
        hold = try fields.optionalID("hold")
        mandate = try fields.optionalID("mandate")
        authorization = try fields.optionalID("authorization")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "payer": .string(payer), "amount": amount.json,
            "hold": hold.map { .string($0) }, "mandate": mandate.map { .string($0) },
            "authorization": authorization.map { .string($0) },
        ])
    }
}

/// A stage was delivered.
public struct TaskSubmitted: EventData, Hashable {
    /// `task.submitted`.
    public static let type = "task.submitted"

    /// The task.
    public var task: String
    /// Its tree.
    public var root: String
    /// The stage, from 0.
    public var milestone: Int
    /// What was delivered.
    public var artefacts: [TaskArtefact]
    /// The provider's.
    public var signature: TaskSignature?

    /// From its parts.
    public init(
        task: String, root: String, milestone: Int, artefacts: [TaskArtefact], signature: TaskSignature? = nil
    ) {
        self.task = task
        self.root = root
        self.milestone = milestone
        self.artefacts = artefacts
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["task", "root", "milestone", "artefacts", "signature"])
        task = try fields.id("task")
        root = try fields.id("root")
        milestone = try fields.count("milestone")
        artefacts = try fields.list("artefacts") { entry throws(JSONFieldError) in try TaskArtefact(entry) }
        if let part = try fields.optionalObject("signature") { signature = try TaskSignature(part) } else { signature = nil }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "task": .string(task), "root": .string(root), "milestone": .count(milestone), "artefacts": .array(artefacts.map(\.json)),
            "signature": signature?.json,
        ])
    }
}
