public import JSON

/// A runner gave a job back, and says why: it waits for another.
public struct JobReleased: EventData, Hashable {
    /// `job.released`.
    public static let type = "job.released"

    /// The job.
    public var job: String
    /// Who gave it back.
    public var runner: String
    /// Which attempt that was.
    public var attempt: Int
    /// The runner's word.
    public var reason: String

    /// From its parts.
    public init(job: String, runner: String, attempt: Int, reason: String) {
        self.job = job
        self.runner = runner
        self.attempt = attempt
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "runner", "attempt", "reason"])
        job = try fields.id("job")
        runner = try fields.id("runner")
        attempt = try fields.count("attempt")
        reason = try fields.id("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members(["job": .string(job), "runner": .string(runner), "attempt": .count(attempt), "reason": .string(reason)])
    }
}
