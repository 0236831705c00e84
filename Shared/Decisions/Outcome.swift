public import Events
internal import JSON

/// What came of a decision: its events where they stand.
public struct Outcome: Sendable {
    /// The events, in order, each with its position and version in its stream; none when there was nothing to do.
    public let facts: [Placed]
    /// Whether the same command had been decided before, and these are its first events.
    public let isRepeat: Bool

    /// A fact and its place.
    public struct Placed: Sendable {
        /// What was decided.
        public let fact: Fact
        /// Where it stands in the log.
        public let position: UInt64
        /// Its number in its stream, from 0.
        public let version: UInt64
    }

    /// The position after the last event; nil when there is none. Who waits for it sees what was decided.
    public var end: UInt64? { facts.last.map { $0.position + 1 } }

    /// The typed data of the first event of that type.
    /// - Throws: ``DecisionError/malformed(_:)`` when there is none or it can't be read.
    public func first<Payload: EventData>(_ type: Payload.Type) throws -> Payload {
        guard let placed = facts.first(where: { $0.fact.type == Payload.type }) else {
            throw DecisionError.malformed("the decision has no \(Payload.type)")
        }
        return try Payload(placed.fact.data.object())
    }

    /// The typed data of all events of that type.
    public func all<Payload: EventData>(_ type: Payload.Type) throws -> [Payload] {
        try facts.filter { $0.fact.type == Payload.type }.map { try Payload($0.fact.data.object()) }
    }
}
