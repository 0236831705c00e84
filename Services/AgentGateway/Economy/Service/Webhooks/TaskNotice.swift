internal import Events
internal import JSON
internal import Projections

/// What is told of an event of a task, in each form that a webhook may have.
struct TaskNotice {
    /// The forms, by their names in the table.
    enum Form: String, Sendable {
        /// Standard Webhooks, with the event as it stands on the log.
        case standard
        /// A2A 1.0: a status update.
        case a2a = "a2a-1.0"
        /// A2A 0.3: the task with its state.
        case legacy = "a2a-0.3"
    }

    let task: String
    let type: String
    private let event: ProjectedEvent
    private let data: JSONValue

    /// The types of events that are told.
    static let types: Set<String> = [
        TaskOpened.type, TaskFunded.type, TaskSubmitted.type, TaskAccepted.type, TaskCompleted.type, TaskRejected.type, TaskExpired.type,
    ]

    /// Nil for an event that is no task's.
    init?(_ event: ProjectedEvent) throws {
        guard Self.types.contains(event.header.type) else { return nil }
        data = try JSON.parse(Array(event.data))
        guard let task = data["task"]?.stringValue else { return nil }
        self.task = task
        self.event = event
        type = event.header.type
    }

    /// The tree's first task.
    var root: String { data["root"]?.stringValue ?? task }

    /// Principals whom the event brings into the task.
    var parties: [String] { ["client", "provider", "evaluator", "payer"].compactMap { data[$0]?.stringValue } }

    /// The state that A2A knows the task to be in from here on.
    private var state: A2ATask.State {
        switch type {
        case TaskOpened.type: .submitted
        case TaskFunded.type: .working
        case TaskSubmitted.type: .inputRequired
        case TaskAccepted.type, TaskCompleted.type: data["is_over"]?.boolValue == true ? .completed : .working
        case TaskRejected.type: .canceled
        default: .failed
        }
    }

    /// What is sent.
    func body(_ form: Form) throws -> [UInt8] {
        let time = JSONValue.string(event.header.time.description)
        let facts: JSONValue = [
            "position": .count(Int(event.position)), "type": .string(type), "event": data,
            "proof": .string("/log/v1/events/\(event.position)/proof"),
        ]
        switch form {
        case .standard:
            return try JSON.canonical([
                "type": .string(type), "timestamp": time,
                "data": [
                    "task": .string(task), "position": .count(Int(event.position)), "event": data,
                    "proof": .string("/log/v1/events/\(event.position)/proof"),
                ],
            ])
        case .a2a:
            return try JSON.canonical([
                "statusUpdate": [
                    "taskId": .string(task), "contextId": .string(root), "status": ["state": .string(state.rawValue), "timestamp": time],
                    "metadata": ["openledger": facts],
                ]
            ])
        case .legacy:
            return try JSON.canonical([
                "kind": "task", "id": .string(task), "contextId": .string(root),
                "status": ["state": .string(state.legacy), "timestamp": time], "metadata": ["openledger": facts],
            ])
        }
    }
}
