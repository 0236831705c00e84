import EventLog
import Projections
import TestSupport

/// Brings what it likes: repeats, holes, other orders, old events, nothing, or an error.
actor UnreliableCarrier: EventCarrier {
    struct Tired: Error {}

    private let client: any LogClient
    private var random: SeededGenerator
    private(set) var isClosed = false

    init(_ client: any LogClient, seed: UInt64) {
        self.client = client
        random = SeededGenerator(seed: seed)
    }

    func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch {
        if random.chance(0.05) { throw Tired() }
        let from = UInt64(max(0, Int(next) + Int.random(in: -20...20, using: &random)))
        // Never long without the event that is wanted: a carrier must bring it in the end.
        let batch = try await client.read(
            from: random.chance(0.3) ? next : from, limit: Int.random(in: 1...60, using: &random), wait: .milliseconds(5))
        var events = batch.events.flatMap { event -> [LoggedEvent] in
            if random.chance(0.1) { return [] }
            return random.chance(0.2) ? [event, event] : [event]
        }
        if random.chance(0.5) { events.shuffle(using: &random) }
        return LogBatch(events: events, size: batch.size)
    }

    func close() { isClosed = true }
}

/// Brings the events that a test gives it, then what the ledger has.
actor ScriptedCarrier: EventCarrier {
    private let client: any LogClient
    private var script: [[LoggedEvent]]

    init(_ client: any LogClient, _ script: [[LoggedEvent]]) {
        self.client = client
        self.script = script
    }

    func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch {
        guard script.isEmpty else {
            let events = script.removeFirst()
            return LogBatch(events: events, size: (events.map(\.position).max() ?? 0) + 1)
        }
        return try await client.read(from: next, limit: limit, wait: wait)
    }

    func close() {}
}
