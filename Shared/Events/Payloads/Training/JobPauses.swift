public import JSON

/// Its owner halted a fine-tuning: nobody works on it until it is resumed.
public struct JobPaused: EventData, Hashable {
    /// `job.paused`.
    public static let type = "job.paused"

    /// The job.
    public var job: String

    /// From its parts.
    public init(job: String) { self.job = job }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job"])
        job = try fields.id("job")
    }

    /// As it is written.
    public var json: JSONValue { .members(["job": .string(job)]) }
}

/// Its owner let a fine-tuning go on, from its last checkpoint.
public struct JobResumed: EventData, Hashable {
    /// `job.resumed`.
    public static let type = "job.resumed"

    /// The job.
    public var job: String

    /// From its parts.
    public init(job: String) { self.job = job }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job"])
        job = try fields.id("job")
    }

    /// As it is written.
    public var json: JSONValue { .members(["job": .string(job)]) }
}
