public import Decisions
public import Events
internal import JSON

extension BillingState: ServiceState {
    /// Billing's own types, and those of others that it learns from.
    public static func concerns(_ type: String) -> Bool { BillingEvent.types.contains(type) || foreignTypes.contains(type) }

    /// Folds one event.
    public mutating func apply(_ fact: Fact) throws {
        // What was decided a moment ago need not be read from the JSON that was just made of it.
        if let event = fact.decided as? BillingEvent { return try evolve(event, fact) }
        let fields = try fact.data.object()
        if let event = try BillingEvent(type: fact.type, fields) {
            try evolve(event, fact)
        } else if let position = fact.position {
            try learn(type: fact.type, fields, id: fact.id, position: position, time: fact.time)
        }
    }

    private mutating func evolve(_ event: BillingEvent, _ fact: Fact) throws(BillingFault) {
        if case .event(let cause) = fact.cause {
            try evolve(event, cause: cause, time: fact.time)
        } else {
            try evolve(event, time: fact.time)
        }
    }
}

extension Decision {
    /// The stream of all billing's events. It has one expected version, so of two instances that decide at once only one appends:
    /// nothing is spent twice.
    public static let stream = StreamName("account/journal")

    /// The events as they go on the log.
    public var newEvents: [NewEvent] {
        guard let stream = Self.stream else { return [] }
        return events.map { event in
            let data = event.data
            return NewEvent(Swift.type(of: data).type, stream: stream, data: data.json, decided: event)
        }
    }
}
