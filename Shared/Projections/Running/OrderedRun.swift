internal import EventLog

/// Delivered events in the log's order: what can be applied now, and what lies beyond a hole.
struct OrderedRun {
    /// Events from `next` on without a hole.
    private(set) var run: [LoggedEvent] = []
    /// Events beyond the first hole, in order, each once.
    private(set) var ahead: [LoggedEvent] = []
    /// Events that were applied before or came twice.
    private(set) var repeats = 0

    /// Sorts `events`, of which the one at `next` is wanted first.
    init(_ events: [LoggedEvent], from next: UInt64) {
        let isSorted = zip(events, events.dropFirst()).allSatisfy { $0.position < $1.position }
        run.reserveCapacity(events.count)
        var wanted = next
        for event in isSorted ? events : events.sorted(by: { $0.position < $1.position }) {
            if event.position == wanted {
                run.append(event)
                wanted += 1
            } else if event.position < wanted || ahead.last?.position == event.position {
                repeats += 1
            } else {
                ahead.append(event)
            }
        }
    }

    /// The position after the run, and how many are missing there before the first one beyond.
    func hole(after next: UInt64) -> (start: UInt64, count: Int)? {
        guard let first = ahead.first else { return nil }
        let start = next + UInt64(run.count)
        return (start, Int(clamping: first.position - start))
    }
}
