/// A bound on waiting for a server, whatever carries the call.
enum Patience {
    /// Runs the work, and cancels it when it takes longer.
    /// - Throws: ``BackendError/silent(_:)`` then, or what the work throws.
    static func run<Value: Sendable>(_ patience: Duration, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw BackendError.silent(patience) }
            return value
        }
    }
}
