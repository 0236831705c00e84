internal import Synchronization
internal import Threads

/// One after another for each key: files of one name have one writer, and what several want is fetched once.
final class Turns<Key: Hashable & Sendable>: Sendable {
    /// The last task of each key; a finished one is a few bytes.
    private let last = Lock<[Key: Task<Void, Never>]>([:])

    /// Runs the body once all earlier ones of this key are over. It is cancelled with the caller.
    func take<Value: Sendable>(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = last.withLock { last in
            let previous = last[key]
            let task = Task<Value, any Error> {
                await previous?.value
                try Task.checkCancellation()
                return try await body()
            }
            last[key] = Task { _ = await task.result }
            return task
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
