internal import HTTP
internal import Synchronization
internal import Threads

/// The commands that are running in this process: the second of two that come at once gets 409 instead of racing the first.
public final class CommandsInFlight: Sendable {
    private let running = Lock<Set<String>>([])

    /// None.
    public init() {}

    /// Runs `body` as the command `id`.
    /// - Throws: `Problem` 409 `command-in-flight` while a command of that id is running; what `body` throws.
    public func run<Result: Sendable>(_ id: String, _ body: () async throws -> Result) async throws -> Result {
        guard running.withLock({ $0.insert(id).inserted }) else {
            throw Problem(
                .commandInFlight, "a request with this Idempotency-Key is still running; ask again when it has ended",
                field: "Idempotency-Key", headers: ["Retry-After": "1"])
        }
        defer { running.withLock { _ = $0.remove(id) } }
        return try await body()
    }

    /// How many run now.
    public var count: Int { running.withLock { $0.count } }
}
