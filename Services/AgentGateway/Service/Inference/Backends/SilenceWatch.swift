internal import Synchronization
internal import Threads

/// Says once that nothing was heard for too long.
final class SilenceWatch: Sendable {
    private struct State {
        var heard = ContinuousClock.now
        var alarm: Alarm?
        var isOver = false
        var silent: (@Sendable () -> Void)?
    }

    private let state = Lock(State())
    private let patience: Duration

    init(_ patience: Duration) { self.patience = patience }

    /// Begins to watch.
    /// - Parameter silent: is called when nothing was heard for too long.
    func begin(_ silent: @escaping @Sendable () -> Void) {
        state.withLock { $0.silent = silent }
        look()
    }

    /// Something was heard.
    func note() { state.withLock { $0.heard = .now } }

    /// Nothing is waited for any more.
    func end() {
        let alarm = state.withLock { state in
            state.isOver = true
            state.silent = nil
            return state.alarm.take()
        }
        alarm?.end()
    }

    /// Looks again when the patience that is left has run out.
    private func look() {
        let end = state.withLock { state -> ContinuousClock.Instant? in state.isOver ? nil : state.heard + patience }
        guard let end else { return }
        guard ContinuousClock.now < end else {
            let silent = state.withLock { $0.silent.take() }
            self.end()
            silent?()
            return
        }
        let alarm = Alarms.shared.set(at: end) { [weak self] in self?.look() }
        let isWanted = state.withLock { state -> Bool in
            guard !state.isOver else { return false }
            state.alarm = alarm
            return true
        }
        if !isWanted { alarm.end() }
    }
}
