import Foundation
import PrivatePostgres
import Synchronization
import Threads

/// The PostgreSQL of this test process: one private cluster, started at first use and removed at exit, or the server
/// that OPENLEDGER_TEST_POSTGRES names.
actor TestServer {
    static let shared = TestServer()

    /// Where a server is, and how it is spoken to before there is a client.
    struct Door: Sendable {
        let host: String
        let port: Int
        let user: String
        let password: String?
        let psql: String

        /// Runs SQL, each statement by itself, and returns what it printed.
        @discardableResult
        func sql(_ statements: [String], in database: String) async throws -> String {
            var environment = ProcessInfo.processInfo.environment
            environment["PGPASSWORD"] = password
            environment["PGOPTIONS"] = "-c client_min_messages=warning"
            let command = [psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", "\(port)", "-U", user, "-d", database]
            let outcome = try await Subprocess.run(
                command + statements.flatMap { ["-c", $0] }, .init(environment: environment), timeout: .seconds(120))
            guard outcome.status.isSuccess else { throw ClusterError.program(name: "psql", said: outcome.output) }
            return outcome.output.trimmingCharacters(in: .newlines)
        }
    }

    private var starting: Task<Door, any Error>?

    func door() async throws -> Door {
        if let starting { return try await starting.value }
        let task = Task { try await Self.open() }
        starting = task
        return try await task.value
    }

    private static func open() async throws -> Door {
        if let given = TestInput.postgres { return try await outside(given) }
        let folder = try TestFolders.claim("pg")
        // No fsync: these databases need to survive killed processes, not a power cut. A test of durability starts a
        // cluster of its own, which keeps the defaults.
        let cluster = try await PrivateCluster.start(
            directory: folder,
            options: ClusterOptions(
                settings: ["fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "autovacuum": "off"],
                maxConnections: 500, database: "postgres"))
        // Kept for the life of the process; the kernel stops the server when that ends.
        kept.withLock { $0 = cluster }
        return Door(
            host: cluster.socketDirectory, port: cluster.port, user: cluster.superuser, password: nil, psql: cluster.programs.path("psql"))
    }

    private static let kept = Lock<PrivateCluster?>(nil)

    private static func outside(_ text: String) async throws -> Door {
        guard let url = URLComponents(string: text), url.scheme?.hasPrefix("postgres") == true else {
            throw NotInTime(description: "OPENLEDGER_TEST_POSTGRES is not a postgresql:// URL")
        }
        let host = url.queryItems?.first { $0.name == "host" }?.value ?? url.host.flatMap { $0.isEmpty ? nil : $0 }
        let door = Door(
            host: host ?? "/var/run/postgresql", port: url.port ?? 5432, user: url.user ?? "postgres", password: url.password,
            psql: try await PostgresPrograms.find().path("psql"))
        try await DatabasePool.sweep(door)
        return door
    }
}
