internal import Synchronization
internal import Threads

/// What others may know of a running projection, and who waits for it.
final class Board: Sendable {
    fileprivate struct Waiter {
        let position: UInt64
        let continuation: CheckedContinuation<Void, any Error>
        var alarm: Task<Void, any Error>?

        func wake(_ result: Result<Void, any Error>) {
            alarm?.cancel()
            continuation.resume(with: result)
        }
    }

    fileprivate struct State {
        var state = ProjectionStatus.State.idle
        var next: UInt64 = 0
        var size: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        var serial: UInt64 = 0
    }

    private let projection: String
    private let state = Lock(State())
    /// Rings when somebody begins to wait: an instance that does not apply looks at the row more often then.
    let bell = Bell()

    init(projection: String) { self.projection = projection }

    var status: ProjectionStatus {
        state.withLock { ProjectionStatus(projection: projection, state: $0.state, next: $0.next, logSize: max($0.size, $0.next)) }
    }

    var hasWaiters: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Changes what it does. A stop or the end fails those who wait for what lies beyond it.
    func enter(_ new: ProjectionStatus.State) {
        let failed = state.withLock { state -> [Waiter] in
            state.state = new
            switch new {
            case .stopped, .idle: return state.takeWaiters { _ in true }
            default: return []
            }
        }
        for waiter in failed { waiter.wake(.failure(failure)) }
    }

    /// All positions below `next` are in the rows.
    func reached(_ next: UInt64) {
        let woken = state.withLock { state -> [Waiter] in
            state.next = next
            return state.waiters.isEmpty ? [] : state.takeWaiters { $0.position < next }
        }
        for waiter in woken { waiter.wake(.success(())) }
    }

    func heard(size: UInt64) { state.withLock { $0.size = max($0.size, size) } }

    /// Why nobody may wait now; the cause of a stop, if it is one.
    private var failure: ProjectionError {
        if case .stopped(let position, let reason) = status.state {
            return .stopped(projection: projection, position: position, reason: reason)
        }
        return .notRunning(projection: projection)
    }

    /// Returns when `position` is in the rows.
    func wait(for position: UInt64, timeout: Duration) async throws {
        if state.withLock({ $0.next > position }) { return }
        let id = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.next > position { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if case .stopped(let at, let reason) = state.state {
                        return .failure(ProjectionError.stopped(projection: projection, position: at, reason: reason))
                    }
                    state.waiters[id] = Waiter(position: position, continuation: continuation)
                    return nil
                }
                if let result { return continuation.resume(with: result) }
                bell.ring()
                setAlarm(id, timeout)
            }
        } onCancel: {
            release(id, CancellationError())
        }
    }

    private func setAlarm(_ id: UInt64, _ timeout: Duration) {
        let alarm = Task { [self] in
            try await Task.sleep(for: timeout)
            guard let position = state.withLock({ $0.waiters[id]?.position }) else { return }
            release(id, ProjectionError.notYetApplied(projection: projection, position: position, next: status.next))
        }
        let isGone = state.withLock { state in
            state.waiters[id]?.alarm = alarm
            return state.waiters[id] == nil
        }
        if isGone { alarm.cancel() }
    }

    private func release(_ id: UInt64, _ error: any Error) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.wake(.failure(error))
    }
}

extension Board.State {
    fileprivate mutating func takeWaiters(where matches: (Board.Waiter) -> Bool) -> [Board.Waiter] {
        let ids = waiters.filter { matches($0.value) }.map(\.key)
        return ids.compactMap { waiters.removeValue(forKey: $0) }
    }
}
