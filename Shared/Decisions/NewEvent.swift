public import Events
public import JSON

/// An event as a rule decides it; who, when and why are added by whoever asked for the decision.
public struct NewEvent: Sendable {
    /// `<noun>.<past verb>`.
    public var type: String
    /// The type's version.
    public var version: Int
    /// Its stream.
    public var stream: StreamName
    /// What happened.
    public var data: JSONValue
    /// The same as the state that applies it takes it, which then need not read ``data``; nil for none.
    public let decided: (any Sendable)?

    /// An event from its parts.
    public init(_ type: String, version: Int = 1, stream: StreamName, data: JSONValue, decided: (any Sendable)? = nil) {
        self.type = type
        self.version = version
        self.stream = stream
        self.data = data
        self.decided = decided
    }

    /// An event from its typed data.
    public init<Payload: EventData>(_ payload: Payload, stream: StreamName) {
        self.init(Payload.type, stream: stream, data: payload.json)
    }
}

/// What a rule may know besides the state.
public struct DecisionContext: Sendable {
    /// When the events will be said to have happened: the service's clock for a command, the event's own time for a reaction.
    public let time: Timestamp
    /// The greatest time on the log as far as it has been read: what rules about expiry and windows compare with.
    public let logTime: Timestamp
    /// Why something is decided.
    public let cause: Cause
    /// Who asked.
    public let actor: String

    /// A context from its parts.
    public init(time: Timestamp, logTime: Timestamp, cause: Cause, actor: String) {
        self.time = time
        self.logTime = max(logTime, time)
        self.cause = cause
        self.actor = actor
    }

    /// A new id such as `dn_4f…`: made from the cause, so a repeated command makes the same.
    /// - Parameter ordinal: to make several of one kind.
    public func newID(_ prefix: String, _ ordinal: Int = 0) -> String { EntityID.make(prefix, cause: cause, ordinal: ordinal) }
}
