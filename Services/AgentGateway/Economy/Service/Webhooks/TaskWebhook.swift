internal import Events
internal import JSON

/// A principal's wish to be told of what happens to its tasks.
struct TaskWebhook: Sendable {
    let id: String
    let owner: String
    let form: TaskNotice.Form
    /// Only what happens to this one.
    let task: String?
    /// What its owner calls it, in A2A.
    let name: String?
    let url: String
    let types: [String]
    /// What the receiver wants to see, sealed.
    let sealed: [UInt8]?
    let generation: Int
    let created: Int64
    let isEnded: Bool

    func json(secret: String? = nil) -> JSONValue {
        .members([
            "id": .string(id), "task": task.map { .string($0) }, "url": .string(url), "types": .texts(types),
            "generation": .count(generation), "secret": secret.map { .string($0) },
            "created": .string(Timestamp(microseconds: created).description), "ended": .bool(isEnded),
        ])
    }
}
