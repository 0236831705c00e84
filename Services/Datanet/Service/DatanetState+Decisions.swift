public import DatanetDomain
public import Decisions
internal import EventLog
internal import Events
internal import JSON

/// The domain's state as decisions are made on.
extension DatanetState: ServiceState {
    /// Folds one fact.
    public mutating func apply(_ fact: Fact) throws {
        try apply(
            Occurrence(
                id: fact.id, type: fact.type, time: fact.time, actor: fact.actor, position: fact.position, correlation: fact.correlation,
                data: fact.data))
    }
}

/// A rule of the domain.
typealias DatanetRule = @Sendable (DatanetState, Moment) throws -> [Decided]

/// A rule of the domain as a decision maker takes it.
func rule(_ body: @escaping DatanetRule) -> DecisionMaker<DatanetState>.Rule {
    { state, context in
        let moment = Moment(time: context.time, logTime: context.logTime, actor: context.actor) { context.newID($0, $1) }
        return try body(state, moment).map { NewEvent($0.type, stream: $0.stream, data: $0.data) }
    }
}
