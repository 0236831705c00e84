import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import JSON
import LedgerService
import Postgres
import Telemetry
import TestSupport

/// The folder of migrations, found from this file.
let migrationsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("migrations").path

extension LedgerClock {
    /// Stands still, so that no event grows old while a test waits for its turn on a busy machine.
    static let frozen = LedgerClock { Timestamp(microseconds: 1_795_000_000_000_000) }
}

/// A database with the ledger's schema.
struct LedgerDatabase: Sendable {
    static let password = "ledger test"
    let database: TestDatabase
    let key: Ed25519PrivateKey

    var owner: PostgresConfiguration { get throws { try PostgresConfiguration(url: database.url) } }
    var role: PostgresConfiguration {
        get throws { try PostgresConfiguration(url: database.url(user: "openledger_ledger", password: Self.password)) }
    }

    /// Lets the ledger's role connect, or throws it out and keeps it out.
    func admit(_ isAdmitted: Bool) async throws {
        try await database.sql("alter database \"\(database.name)\" connection limit \(isAdmitted ? -1 : 0)")
        if !isAdmitted {
            try await database.sql(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and usename = 'openledger_ledger'
                """)
        }
    }

    func settings(_ instance: String = "test") throws -> LedgerSettings {
        LedgerSettings(database: try role, origin: "test.example/log", keys: [key], instance: instance)
    }

    /// A ledger over this database, running, and leading unless told not to wait for that.
    func withLedger<Result: Sendable>(
        _ settings: LedgerSettings? = nil, clock: LedgerClock = .frozen, transport: (any Transport)? = nil, awaitLead: Bool = true,
        _ body: @Sendable (Ledger) async throws -> Result
    ) async throws -> Result {
        let ledger = try await Ledger.make(
            try settings ?? self.settings(), transport: try transport ?? CurlTransport(), logger: .silent, metrics: Metrics(), clock: clock)
        let running = Task { await ledger.run() }
        do {
            if awaitLead { try await eventually { ledger.isLeading } }
            let result = try await body(ledger)
            running.cancel()
            await running.value
            return result
        } catch {
            running.cancel()
            await running.value
            throw error
        }
    }
}

/// Gives the body a fresh database with the ledger's schema and role.
func withLedgerDatabase<Result>(_ body: (LedgerDatabase) async throws -> Result) async throws -> Result {
    try await withDatabase(
        template: "ledger",
        prepare: { database in
            let owner = try PostgresConfiguration(url: database.url)
            try await Roles(owner).ensure([Roles.Login(service: "ledger", password: LedgerDatabase.password)])
            _ = try await Migrator(owner, folder: migrationsFolder, services: ["ledger"]).apply()
        }
    ) { database in
        // The model's grants on the database itself are not copied with it.
        try await Roles(try PostgresConfiguration(url: database.url)).ensure([
            Roles.Login(service: "ledger", password: LedgerDatabase.password)
        ])
        return try await body(LedgerDatabase(database: database, key: try Ed25519PrivateKey.generate()))
    }
}

/// Events as billing would make them.
enum Sample {
    static func command(
        _ command: String, streams: [String] = ["account/a"], digest: Digest? = nil, type: String = "deposit.received",
        data: JSONValue = ["n": 1],
        time: Timestamp? = nil, actor: String = "tester"
    ) throws -> [[UInt8]] {
        let time = time ?? LedgerClock.frozen.now()
        return try streams.enumerated().map { ordinal, name in
            guard let stream = StreamName(name) else { throw EventError(.malformed, field: "/stream", name) }
            return try Event(
                type: type, stream: stream, time: time, actor: actor,
                cause: .command(id: command, digest: digest ?? SHA256.hash(utf8: "body of \(command)")),
                ordinal: ordinal, correlation: "0af7651916cd43dd8448eb211c80319c", data: data
            ).encoded()
        }
    }

    static func append(_ command: String, _ streams: String..., expected: [String: ExpectedVersion] = [:]) throws -> AppendRequest {
        let names = expected.map { (StreamName($0.key) ?? StreamName(kind: "account", id: "none").unsafelyUnwrapped, $0.value) }
        return AppendRequest(
            events: try command_(command, streams), expected: Dictionary(names) { first, _ in first })
    }

    private static func command_(_ command: String, _ streams: [String]) throws -> [[UInt8]] {
        try self.command(command, streams: streams.isEmpty ? ["account/a"] : streams)
    }
}
