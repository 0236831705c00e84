internal import DatanetDomain
internal import Decisions
internal import EventLog
internal import Events
internal import JSON

/// A rule of the domain.
typealias DatanetRule = @Sendable (DatanetState, Moment) throws -> [Decided]

/// A rule of the domain as a decision maker takes it.
func rule(_ body: @escaping DatanetRule) -> DecisionMaker<DatanetState>.Rule {
    { state, context in
        let moment = Moment(time: context.time, logTime: context.logTime, actor: context.actor) { context.newID($0, $1) }
        return try body(state, moment).map { NewEvent($0.type, stream: $0.stream, data: $0.data) }
    }
}
