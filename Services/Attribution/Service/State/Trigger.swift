internal import Decisions
internal import EventLog
internal import Events

/// An event of another service that this one must react to: what its own event is caused by, and when that will be said to have been.
struct Trigger: Sendable, Hashable {
    let event: EventID
    let position: UInt64
    let time: Timestamp
    let correlation: String

    /// From a fact of another service.
    init(_ fact: Fact, position: UInt64) {
        event = fact.id
        self.position = position
        time = fact.time
        correlation = fact.correlation
    }

    /// What the reaction is caused by.
    var cause: Cause { .event(id: event) }
}
