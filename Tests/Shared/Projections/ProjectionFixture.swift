import Crypto
import EventLog
import Events
import HTTPClient
import JSON
import LedgerService
import Postgres
import Projections
import Telemetry
import TestSupport

/// A database with the ledger's schema and one of a projecting service.
struct ProjectionDatabase: Sendable {
    static let password = "projection test"
    let database: TestDatabase
    let key: Ed25519PrivateKey

    var owner: PostgresConfiguration { database.configuration }

    func role(_ service: String) throws -> PostgresConfiguration {
        try PostgresConfiguration(url: database.url(user: "openledger_\(service)", password: Self.password))
    }

    /// A running ledger that leads.
    func withLedger<Result: Sendable>(
        _ configure: (inout LedgerSettings) -> Void = { _ in }, _ body: @Sendable (Ledger) async throws -> Result
    ) async throws -> Result {
        var settings = LedgerSettings(database: try role("ledger"), origin: "test.example/log", keys: [key], instance: "test")
        configure(&settings)
        let ledger = try await Ledger.make(settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics())
        return try await running({ await ledger.run() }) {
            try await eventually("the ledger leads") { ledger.isLeading }
            return try await body(ledger)
        }
    }

    /// A running runner.
    func withRunner<Result: Sendable>(
        _ projection: any Projection, _ carrier: any EventCarrier, _ client: any LogClient, options: ProjectionOptions = .quick,
        logger: Logger = .silent, metrics: Metrics = Metrics(), _ body: @Sendable (ProjectionRunner) async throws -> Result
    ) async throws -> Result {
        let runner = try ProjectionRunner(
            projection, carrier: carrier, client: client, database: try role("billing"), options: options, logger: logger, metrics: metrics)
        return try await running({ await runner.run() }) { try await body(runner) }
    }

    func withConnection<Result>(_ body: (PostgresConnection) async throws -> Result) async throws -> Result {
        let connection = try await PostgresConnection.connect(owner)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The rows of the read model and its position, as text that can be compared.
    func rows() async throws -> [String] {
        try await withConnection { connection in
            let balances = try await connection.execute("select account, total, count, chain, last from billing.balances order by account")
            let entries = try await connection.execute("select position, account, amount from billing.entries order by position")
            let next = try await connection.execute("select next from billing.projection_positions").first?.int(0) ?? 0
            return try balances.map { "\(try $0.text(0)) \(try $0.int(1)) \(try $0.int(2)) \(try $0.int(3)) \(try $0.int(4))" }
                + entries.map { "\(try $0.int(0)) \(try $0.text(1)) \(try $0.int(2))" } + ["next \(next)"]
        }
    }
}

/// Runs `task` beside `body` and ends it afterwards.
func running<Result>(_ task: @escaping @Sendable () async -> Void, _ body: () async throws -> Result) async throws -> Result {
    let task = Task { await task() }
    do {
        let result = try await body()
        task.cancel()
        await task.value
        return result
    } catch {
        task.cancel()
        await task.value
        throw error
    }
}

extension ProjectionOptions {
    /// Short pauses, so that tests of trouble are quick.
    static var quick: ProjectionOptions {
        var options = ProjectionOptions()
        options.watch = .milliseconds(20)
        options.initialPause = .milliseconds(2)
        options.maximumPause = .milliseconds(50)
        return options
    }
}

/// Gives the body a database of its own in which a ledger and the projection ``Balances`` can work.
func withProjectionDatabase<Result>(_ body: (ProjectionDatabase) async throws -> Result) async throws -> Result {
    let logins = try ["ledger", "billing"].map { try Roles.Login(service: $0, password: ProjectionDatabase.password) }
    return try await withDatabase(
        template: "projections",
        prepare: { database in
            try await Roles(database.configuration).ensure(logins)
            _ = try await Migrator(database.configuration, folder: TestInput.migrations, services: ["ledger"]).apply()
            let connection = try await PostgresConnection.connect(database.configuration)
            try await connection.executeScript("create schema billing; grant usage on schema billing to openledger_billing")
            try await connection.executeScript(PositionTable.sql(schema: "billing", role: "openledger_billing"))
            try await connection.executeScript(Balances.sql)
            await connection.close()
        }
    ) { database in
        // The model's grants on the database itself are not copied with it.
        try await Roles(database.configuration).ensure(logins)
        return try await body(ProjectionDatabase(database: database, key: try Ed25519PrivateKey.generate()))
    }
}

/// Makes events as billing would: deposits, each append a command of its own.
actor Deposits {
    private let tag: String
    private let client: any LogClient
    private var count = 0
    private var random: SeededGenerator

    /// - Parameter tag: makes the commands' ids and the random deposits.
    init(_ tag: String, _ client: any LogClient) {
        self.tag = tag
        self.client = client
        random = Seed.generator(tag)
    }

    /// - Returns: the position after the last.
    @discardableResult
    func append(_ amounts: [(account: String, amount: Int)]) async throws -> UInt64 {
        var end: UInt64 = 0
        for start in stride(from: 0, to: amounts.count, by: 256) {
            let part = amounts[start..<min(amounts.count, start + 256)]
            count += 1
            let command = "\(tag)-\(count)"
            let time = LedgerClock.system.now()
            let events = try part.enumerated().map { ordinal, deposit in
                guard let stream = StreamName(kind: "account", id: deposit.account) else { throw ProjectionError.cannotApply("bad name") }
                return try Event(
                    type: "deposit.received", stream: stream, time: time, actor: "tester",
                    cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: ordinal,
                    correlation: "0af7651916cd43dd8448eb211c80319c", data: ["n": .int(Int64(deposit.amount))]
                ).encoded()
            }
            end = try await client.append(AppendRequest(events: events)).end
        }
        return end
    }

    /// So many random deposits.
    @discardableResult
    func append(random count: Int) async throws -> UInt64 {
        try await append((0..<count).map { _ in ("a\(Int.random(in: 0..<9, using: &random))", Int.random(in: -50...100, using: &random)) })
    }
}
