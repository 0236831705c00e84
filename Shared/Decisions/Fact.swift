public import EventLog
public import Events
public import JSON

/// An event as a service's state sees it: its header, and its data parsed.
public struct Fact: Sendable {
    /// Where it stands in the log. Nil for the events of the service that looks at it: those are applied before they have a place,
    /// so no rule may hang on it, now or in a replay.
    public internal(set) var position: UInt64?
    /// Its id.
    public let id: EventID
    /// `<noun>.<past verb>`.
    public let type: String
    /// The type's version.
    public let version: Int
    /// Its stream.
    public let stream: StreamName
    /// When it happened.
    public let time: Timestamp
    /// Who did it.
    public let actor: String
    /// Why.
    public let cause: Cause
    /// The trace id of the first request.
    public let correlation: String
    /// What happened.
    public let data: JSONValue
    /// What the rule that has just decided it gave beside ``data``; nil for whatever was read from the log.
    public let decided: (any Sendable)?

    /// A fact that has just been decided.
    init(_ event: Event, decided: (any Sendable)? = nil) {
        self.decided = decided
        position = nil
        id = event.id
        type = event.type
        version = event.version
        stream = event.stream
        time = event.time
        actor = event.actor
        cause = event.cause
        correlation = event.correlation
        data = event.data
    }

    /// A fact from the log, with its place.
    /// - Throws: `EventError` or `JSONError` for bytes that are no event; the log holds none.
    public init(_ logged: LoggedEvent) throws { try self.init(logged, EventHeader(trusted: logged.bytes), position: logged.position) }

    /// The same as its own service sees it: without a place.
    public var own: Fact {
        var fact = self
        fact.position = nil
        return fact
    }

    init(_ logged: LoggedEvent, _ header: EventHeader, position: UInt64?) throws {
        decided = nil
        self.position = position
        id = header.id
        type = header.type
        version = header.version
        stream = header.stream
        time = header.time
        actor = header.actor
        cause = header.cause
        correlation = header.correlation
        data = try JSON.parse(Array(logged.bytes[header.data]))
    }
}
