import Postgres
import Synchronization
import TestSupport
import Testing
import Threads

extension TestDatabase {
    /// The superuser's way in.
    var configuration: PostgresConfiguration {
        get throws { try PostgresConfiguration(url: url) }
    }
}

/// Gives `body` a connection to an empty database of its own.
func withTestConnection(
    isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> Void
) async throws {
    try await withDatabase { database in
        let connection = try await PostgresConnection.connect(try database.configuration)
        try await body(connection)
        await connection.close()
    }
}

/// Gives `body` a pool on an empty database of its own, and closes it.
func withTestPool(
    isolation: isolated (any Actor)? = #isolation, size: Int = 4, change: (inout PoolOptions) -> Void = { _ in },
    _ body: (PostgresPool) async throws -> Void
) async throws {
    try await withDatabase { database in
        var options = PoolOptions(size: size)
        change(&options)
        let pool = PostgresPool(try database.configuration, options: options)
        try await body(pool)
        await pool.close()
    }
}

/// The ``PostgresError`` that `body` throws.
func postgresError(
    isolation: isolated (any Actor)? = #isolation, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    Issue.record("no error was thrown", sourceLocation: location)
    throw NothingThrown()
}

struct NothingThrown: Error {}

/// What tasks of a test write down together.
final class Notes<Item: Sendable>: Sendable {
    private let items = Lock<[Item]>([])
    func add(_ item: Item) { items.withLock { $0.append(item) } }
    var all: [Item] { items.withLock { $0 } }
}
