internal import Synchronization
internal import Threads

/// Wakes one task that pauses. A ring before the pause ends it at once.
final class Bell: Sendable {
    private struct State {
        var rung = false
        var serial: UInt64 = 0
        var sleeper: CheckedContinuation<Bool, Never>?
    }

    private let state = Lock(State())

    /// Ends the pause that is, or the next one.
    func ring() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            state.rung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume(returning: true)
    }

    /// Forgets a ring that nobody heard.
    func silence() { state.withLock { $0.rung = false } }

    /// Returns after the ring, the time or a cancellation, whichever is first.
    /// - Returns: whether it rang.
    func pause(_ time: Duration) async -> Bool {
        let serial = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        let alarm = Task { [self] in
            try await Task.sleep(for: time)
            end(serial)
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    // An alarm that was quicker has raised the serial.
                    if state.rung || Task.isCancelled || state.serial != serial {
                        defer { state.rung = false }
                        return state.rung
                    }
                    state.sleeper = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            end(serial)
        }
    }

    private func end(_ serial: UInt64) {
        let sleeper = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.serial == serial else { return nil }
            state.serial += 1
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume(returning: false)
    }
}
