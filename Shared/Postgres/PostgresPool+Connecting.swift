internal import Synchronization
internal import Threads

extension PostgresPool {
    /// Makes the connections for which somebody waits.
    func grow() {
        while state.withLock({ state in
            guard state.wantsConnection(max(1, options.size)) else { return false }
            state.connecting += 1
            return true
        }) {
            Task.detached { [self] in await connect() }
        }
    }

    /// Connects, again and again as long as somebody waits.
    private func connect() async {
        var backoff = Backoff(initial: options.initialBackoff, maximum: options.maximumBackoff)
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, notice: notice) { self.isClosed }
                return hand(connection) {
                    $0.connecting -= 1
                    $0.created += 1
                    $0.lastFailure = nil
                }
            } catch {
                let failure = error as? PostgresError ?? PostgresError(.connectionFailed, "\(error)")
                if !noteFailure(failure) { return }
                await pause(backoff.next())
                if stopIfNobodyWaits() { return }
            }
        }
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Waits in short pieces, so that closing the pool need not wait for a long pause to end.
    private func pause(_ duration: Duration) async {
        let end = ContinuousClock.now + duration
        while !isClosed, ContinuousClock.now < end {
            try? await Task.sleep(until: min(end, .now + .milliseconds(100)), clock: .continuous)
        }
    }

    /// Whether another attempt makes sense. A refused log-in is told to all who wait: waiting will not mend it.
    private func noteFailure(_ failure: PostgresError) -> Bool {
        let isFinal = !failure.isConnectionLost && failure.code != .tooManyConnections
        let (waiters, closers) = state.withLock { state -> ([PoolState.Waiter], [CheckedContinuation<Void, Never>]) in
            state.failed += 1
            state.lastFailure = failure
            guard isFinal else { return ([], []) }
            state.connecting -= 1
            return (state.waiters.removeAll(), state.takeClosers())
        }
        for waiter in waiters { waiter.resume(throwing: failure) }
        for closer in closers { closer.resume() }
        return !isFinal
    }

    private func stopIfNobodyWaits() -> Bool {
        let (stops, closers) = state.withLock { state in
            guard state.isClosed || state.waiters.count < state.connecting else { return (false, [CheckedContinuation<Void, Never>]()) }
            state.connecting -= 1
            return (true, state.takeClosers())
        }
        for closer in closers { closer.resume() }
        return stops
    }
}
