/// What a service must remember to decide: a fold of the log.
///
/// The same rules make it when the service starts, while it runs, and when an auditor replays the log.
///
/// A service's own events are applied in the order of its decisions, the events of others in the log's order. Between the
/// two the order may differ from the log's, by the moment that an append takes. So whatever an own event depends on stands
/// in its data, and applying an own event and another service's event must give the same state in either order.
public protocol ServiceState: Sendable {
    /// Whether ``apply(_:)`` looks at events of this type; the data of others is not even parsed.
    static func concerns(_ type: String) -> Bool

    /// Folds one event.
    /// - Throws: when the event can't follow what came before. The service stops there and says so; nothing is skipped.
    mutating func apply(_ fact: Fact) throws
}
