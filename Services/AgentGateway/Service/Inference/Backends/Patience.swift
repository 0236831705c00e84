internal import Synchronization
internal import Threads

/// A bound on waiting for a server, whatever carries the call.
enum Patience {
    /// Runs the work, and cancels it when it takes longer.
    /// - Throws: ``BackendError/silent(_:)`` then, or what the work throws.
    static func run<Value: Sendable>(_ patience: Duration, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let late = LateMark()
        let task = Task { try await work() }
        let alarm = Alarms.shared.set(after: patience) {
            late.set()
            task.cancel()
        }
        defer { alarm.end() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            throw late.isSet ? BackendError.silent(patience) : error
        }
    }
}

/// Whether a time has passed.
private final class LateMark: Sendable {
    private let mark = Lock(false)

    var isSet: Bool { mark.withLock { $0 } }

    func set() { mark.withLock { $0 = true } }
}
