internal import Decisions
internal import Events

/// A service's state as it may have been when it decided: its own events all, those of others only from some seconds ago.
struct LaggingState<State: ServiceState> {
    private(set) var state: State
    private(set) var logTime = Timestamp(microseconds: 0)
    private var waiting: [Fact] = []
    private var head = 0

    /// How far behind a service may be, in microseconds of log time.
    static var lag: Int64 { 10_000_000 }

    init(_ state: State) { self.state = state }

    /// Another service's event, to be seen later.
    mutating func queue(_ fact: Fact) { waiting.append(fact) }

    /// Takes in what is old enough by now.
    mutating func advance(to now: Timestamp) {
        while head < waiting.count, waiting[head].time.microseconds + Self.lag <= now.microseconds {
            see(through: head)
        }
        if head > 1_024, head * 2 > waiting.count {
            waiting.removeFirst(head)
            head = 0
        }
    }

    /// The service's own events. What they rest on has been seen by then: the event that they react to, and what their data name.
    mutating func apply(_ facts: [Fact]) {
        if case .event(let id)? = facts.first?.cause, let place = waiting[head...].lastIndex(where: { $0.id == id }) { see(through: place) }
        for fact in facts {
            logTime = max(logTime, fact.time)
            guard State.concerns(fact.type) else { continue }
            do { try state.apply(fact) } catch {
                see(through: waiting.count - 1)
                // The present state has taken it, or the replay would have stopped.
                try? state.apply(fact)
            }
        }
    }

    private mutating func see(through place: Int) {
        while head <= place {
            logTime = max(logTime, waiting[head].time)
            // What cannot be taken in has stopped the replay already.
            try? state.apply(waiting[head])
            head += 1
        }
    }
}
