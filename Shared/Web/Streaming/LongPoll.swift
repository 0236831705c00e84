/// Waiting for something with an end to the wait.
public enum LongPoll {
    /// The query parameter `wait`: how many seconds the server may hold the request until there is something to tell.
    public static func parameter(atMost seconds: Int = 30) -> QueryParameter {
        QueryParameter("wait", .integer(0...seconds), "Seconds to wait for something new before an empty answer.")
    }

    /// The wait that a request asks for by `wait`; zero without it.
    public static func wait(_ query: Query) -> Duration { .seconds(query.integer("wait") ?? 0) }

    /// Runs `body`, but not for longer than `limit`.
    /// - Returns: what it gave, nil when the time ran out first. It is cancelled then, and has ended when this returns; what it
    ///   still gives counts, so that nothing it has done is lost.
    public static func run<Result: Sendable>(
        atMost limit: Duration, _ body: @escaping @Sendable () async throws -> Result?
    ) async throws -> Result? {
        guard limit > .zero else { return nil }
        return try await Deadline.run(limit, body) { nil }
    }
}

/// One place for "so long and no longer".
enum Deadline {
    private enum End<Result: Sendable>: Sendable {
        case done(Result)
        case late
    }

    /// The result of `body`, or of `late` when `limit` has passed first. `body` is cancelled then and awaited: nothing runs on unseen.
    /// - Parameter isHeardLate: whether a result counts that it comes to all the same, since what it did can't be taken back.
    static func run<Result: Sendable>(
        _ limit: Duration, isHeardLate: Bool = true, _ body: @escaping @Sendable () async throws -> Result, late: () throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: End<Result>.self) { group in
            group.addTask { .done(try await body()) }
            group.addTask {
                // Cancelled by the other's end, or with the request: then the other tells.
                try? await Task.sleep(for: limit)
                return .late
            }
            defer { group.cancelAll() }
            while let end = try await group.next() {
                if case .done(let result) = end { return result }
                if !Task.isCancelled { break }
            }
            group.cancelAll()
            if case .done(let result) = try? await group.next(), isHeardLate { return result }
            return try late()
        }
    }
}
