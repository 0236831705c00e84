internal import EventLog
internal import LedgerDomain

/// The events that reactions name, looked up together.
struct Causes: Sendable {
    fileprivate var events: [UInt64: LoggedEvent] = [:]
    fileprivate var failures: [UInt64: LogError] = [:]

    /// The event at a position that was asked for; nil when the log has no such position.
    func event(at position: UInt64) throws(LogError) -> LoggedEvent? {
        if let failure = failures[position] { throw failure }
        return events[position]
    }

    fileprivate mutating func fail(_ positions: some Sequence<UInt64>, _ error: LogError) {
        for position in positions { failures[position] = error }
    }
}

extension Ledger {
    /// The events at some positions: as many as possible by one look at the database.
    func causes(at positions: [UInt64]) async -> Causes {
        var causes = Causes()
        if positions.isEmpty { return causes }
        // Who does not lead knows the end of the log only from hearsay, and can't say that a position is not there.
        if let refusal = queue.refusal {
            causes.fail(positions, refusal)
            return causes
        }
        do { try await look(up: Set(positions), &causes) } catch let error as LogError {
            causes.fail(positions.filter { causes.events[$0] == nil }, error)
        } catch {
            causes.fail(positions.filter { causes.events[$0] == nil }, .unavailable("\(error)"))
        }
        return causes
    }

    private func look(up positions: Set<UInt64>, _ causes: inout Causes) async throws {
        func take(_ wanted: Set<UInt64>) async throws {
            for event in try await reader.events(at: Array(wanted)) { causes.events[event.position] = event }
        }
        let shown = tail.size
        try await take(positions.filter { $0 < shown })
        var unseen = positions.filter { $0 >= shown }
        if unseen.isEmpty { return }
        let stored = try await reader.storedSize()
        unseen = unseen.filter { $0 < stored }
        guard let greatest = unseen.max() else { return }
        if isLeading {
            // Stored, and in a moment on disk and shown.
            await tail.waitPast(greatest, for: .seconds(1))
            let shown = tail.size
            try await take(unseen.filter { $0 < shown })
        }
        for position in unseen where causes.events[position] == nil {
            causes.failures[position] = .notLeader("another ledger has written position \(position)")
        }
    }
}
