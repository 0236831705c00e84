internal import AttributionDomain
internal import CorpusIndex
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry

/// Indexes: of snapshots that have none, and without what was taken back.
extension AttributionDesk {
    /// Builds the oldest index that is missing, or takes items that were withdrawn out of those that are there.
    /// - Returns: whether there may be more to do.
    func buildNext() async throws -> Bool {
        let putOff = late.snapshots.keys
        for name in try await maker.query({ state in putOff.filter { state.indexes[$0] != nil } }) { settle(name) }
        let skipped = unbuildable.union(late.snapshots.waiting(at: .now))
        guard let task = try await maker.query({ $0.indexTask(without: skipped) }) else { return try await clean() }
        let name = task.snapshot.published.snapshot
        do { try await build(task) } catch {
            try Task.checkCancellation()
            if Self.isForEver(error) {
                giveUp(name, error)
            } else {
                logger.warning("a snapshot is not indexed yet", ["snapshot": .string(name), "error": .describing(error)])
                late.snapshots.failed(name, "\(error)", at: .now)
                // Answers that wait for it let others pass.
                ring(.attributions)
            }
            return true
        }
        settle(name)
        return true
    }

    private func build(_ task: IndexTask) async throws {
        let built = try await keeper.build(task)
        guard let stream = StreamName(kind: "index", id: built.index) else { return }
        try await react(to: task.snapshot.trigger) { state in
            state.indexes[built.snapshot] == nil ? [NewEvent(built, stream: stream)] : []
        }
    }

    private static func isForEver(_ error: any Error) -> Bool {
        switch error {
        case let error as CorpusIndexError: error.isForEver
        case AttributionTrouble.tooMuchContent: true
        default: false
        }
    }

    /// Answers no longer wait for the index of this snapshot.
    private func giveUp(_ snapshot: String, _ error: any Error) {
        logger.error("a snapshot cannot be indexed", ["snapshot": .string(snapshot), "error": .string("\(error)")])
        unbuildable.insert(snapshot)
        settle(snapshot)
    }

    /// Nothing waits for this snapshot's index any longer.
    private func settle(_ snapshot: String) {
        late.settle(snapshot: snapshot)
        ring(.attributions)
    }

    /// Takes what was withdrawn out of the indexes, once all answers from before it are attributed, also those that are put off: they are
    /// paid for what was there when they were given.
    private func clean() async throws -> Bool {
        let found = try await maker.query { state in
            (
                state.withdrawals, state.waiting.firstPosition(), state.indexes.keys.sorted().compactMap(state.ledgerIndex),
                state.admissions
            )
        }
        let (withdrawals, first, indexed, admissions) = found
        guard let last = withdrawals.last, cleaned.map({ $0 < last }) ?? true else { return false }
        let end = min(last, first.map { $0 == 0 ? 0 : $0 - 1 } ?? last)
        if let cleaned, cleaned >= end { return false }
        var failure: (any Error)?
        for ledger in indexed {
            do {
                try await keeper.remove(from: ledger, withdrawals, admissions: admissions, before: end + 1)
            } catch {
                try Task.checkCancellation()
                failure = failure ?? error
            }
        }
        await passages.forget()
        if let failure { throw failure }
        cleaned = end
        return false
    }
}
