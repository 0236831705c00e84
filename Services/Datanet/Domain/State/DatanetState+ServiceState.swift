public import Decisions
internal import EventLog
internal import Events

/// The state as decisions are made on.
extension DatanetState: ServiceState {
    /// Folds one fact.
    public mutating func apply(_ fact: Fact) throws {
        try apply(
            Occurrence(
                id: fact.id, type: fact.type, time: fact.time, actor: fact.actor, position: fact.position, correlation: fact.correlation,
                data: fact.data))
    }
}
