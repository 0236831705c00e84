import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import JSON
import Kafka
import LedgerService
import Postgres
import PrivatePostgres
import Telemetry

/// A running ledger over a private server, for measuring. Its clock stands still, so that events can be made beforehand.
struct LogBench {
    static let moment = Timestamp(microseconds: 1_795_000_000_000_000)

    let ledger: Ledger
    let metrics: Metrics
    private let task: Task<Void, Never>

    static func start(
        _ cluster: PrivateCluster, database: String, kafka: (configuration: KafkaConfiguration, topic: String, replication: Int)? = nil
    ) async throws -> LogBench {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
        _ = try await connection.executeScript("create database \(database)")
        await connection.close()
        let owner = try PostgresConfiguration(url: cluster.url(database: database))
        try await Roles(owner).ensure([Roles.Login(service: "ledger", password: nil)])
        _ = try await Migrator(owner, folder: "migrations", services: ["ledger"]).apply()
        let role = try PostgresConfiguration(url: cluster.url(database: database, user: "openledger_ledger"))
        var settings = LedgerSettings(
            database: role, origin: "bench.example/log", keys: [try Ed25519PrivateKey.generate()], instance: "bench")
        settings.kafka = kafka
        let metrics = Metrics()
        let ledger = try await Ledger.make(
            settings, transport: try CurlTransport(), logger: .silent, metrics: metrics, clock: LedgerClock { moment })
        let task = Task { await ledger.run() }
        while !ledger.isLeading { try await Task.sleep(for: .milliseconds(5)) }
        return LogBench(ledger: ledger, metrics: metrics, task: task)
    }

    func stop() async {
        task.cancel()
        await task.value
    }

    /// Enough appends for a few seconds on a machine like ours.
    static func count(for callers: Int, seconds: Int) -> Int { seconds * (callers == 1 ? 4_000 : callers <= 32 ? 25_000 : 60_000) }

    /// Canonical events of `bytes` bytes each, every one a command of its own, over a thousand streams.
    @inline(never)
    static func events(_ count: Int, bytes: Int = 500, tag: String) throws -> [[UInt8]] {
        try (0..<count).map { try event(command: "\(tag)-\($0)", ordinal: 0, stream: $0 % 1_000, bytes: bytes) }
    }

    /// Appends of `each` events with one command.
    @inline(never)
    static func bulk(_ count: Int, each: Int, tag: String) throws -> [[[UInt8]]] {
        try stride(from: 0, to: count, by: each).map { start in
            try (0..<min(each, count - start)).map { try event(command: "\(tag)-\(start)", ordinal: $0, stream: $0 % 1_000, bytes: 500) }
        }
    }

    private static func event(command: String, ordinal: Int, stream: Int, bytes: Int) throws -> [UInt8] {
        func make(_ filler: Int) throws -> [UInt8] {
            guard let name = StreamName("account/\(stream)") else { throw BenchmarkError("no name") }
            return try Event(
                type: "deposit.received", stream: name, time: moment, actor: "bench", cause: .command(id: command, digest: .zero),
                ordinal: ordinal,
                correlation: "0af7651916cd43dd8448eb211c80319c",
                data: ["amount": ["asset": "USDC/6", "amount": "1000000"], "memo": .string(String(repeating: "m", count: filler))]
            ).encoded()
        }
        let bare = try make(0).count
        return try make(max(0, bytes - bare))
    }
}
