internal import Events

/// A command that waits for its decision.
struct Ticket<State: ServiceState>: Sendable {
    let cause: Cause
    let causePosition: UInt64?
    let time: Timestamp?
    let actor: String
    let correlation: String
    let rule: DecisionMaker<State>.Rule
    let waiter: Waiter
    /// Whether the state had seen, before it was last decided, all that was on the log when it came.
    var isFresh = false
    var attempts = 0

    /// The same, to be decided on a state that is up to date.
    func freshened() -> Self {
        var ticket = self
        ticket.isFresh = true
        return ticket
    }

    /// The same once more, unless it has lost too many races.
    func oncemore() -> Self? {
        guard attempts < 5 else { return nil }
        var ticket = self
        ticket.attempts += 1
        ticket.isFresh = false
        return ticket
    }
}

extension DecisionMaker {
    typealias Ticket = Decisions.Ticket<State>
}
