internal import Synchronization
internal import Threads

/// Times exchanges out with few sleeping tasks: a cancelled sleep lives on in the runtime until its time has come, so
/// one for each of a million calls would be a leak of half a minute.
final class Deadlines: Sendable {
    private struct Entry {
        let deadline: ContinuousClock.Instant
        weak var exchange: InProcessExchange?
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        /// The earliest sweep that is on its way.
        var nextSweep: ContinuousClock.Instant?
    }

    private let state = Lock(State())

    func add(_ exchange: InProcessExchange, after timeout: Duration) {
        let deadline = ContinuousClock.now + timeout
        state.withLock { $0.entries[ObjectIdentifier(exchange)] = Entry(deadline: deadline, exchange: exchange) }
        plan(deadline)
    }

    func remove(_ exchange: InProcessExchange) {
        state.withLock { $0.entries[ObjectIdentifier(exchange)] = nil }
    }

    private func plan(_ time: ContinuousClock.Instant) {
        let isEarlier = state.withLock { state in
            if let planned = state.nextSweep, planned <= time { return false }
            state.nextSweep = time
            return true
        }
        guard isEarlier else { return }
        Task.detached { [weak self] in
            try? await Task.sleep(until: time, clock: .continuous)
            self?.sweep(time)
        }
    }

    private func sweep(_ time: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            if state.nextSweep == time { state.nextSweep = nil }
            var due: [InProcessExchange] = []
            for (key, entry) in state.entries where entry.deadline <= now {
                if let exchange = entry.exchange { due.append(exchange) }
                state.entries[key] = nil
            }
            return (due, state.entries.values.map(\.deadline).min())
        }
        for exchange in due { exchange.timeOut() }
        if let next { plan(next) }
    }
}
