internal import Synchronization
internal import Threads

/// One after another for each key: files of one name have one writer, and what several want is fetched once.
final class Turns<Key: Hashable & Sendable>: Sendable {
    private struct Turn {
        let number: UInt64
        let task: Task<Void, Never>
    }

    /// The last task of each key, until it is over.
    private let last = Lock<(turns: [Key: Turn], number: UInt64)>(([:], 0))

    /// Runs the body once all earlier ones of this key are over. It is cancelled with the caller.
    func take<Value: Sendable>(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = last.withLock { last in
            let previous = last.turns[key]?.task
            let task = Task<Value, any Error> {
                await previous?.value
                try Task.checkCancellation()
                return try await body()
            }
            last.number += 1
            let number = last.number
            last.turns[key] = Turn(
                number: number,
                task: Task {
                    _ = await task.result
                    self.finish(key, number)
                })
            return task
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func finish(_ key: Key, _ number: UInt64) {
        last.withLock { last in
            if last.turns[key]?.number == number { last.turns[key] = nil }
        }
    }
}
