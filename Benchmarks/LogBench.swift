import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import JSON
import LedgerService
import Postgres
import PrivatePostgres
import Telemetry

/// A running ledger over a private server, for measuring.
struct LogBench {
    static let moment = Timestamp(microseconds: 1_795_000_000_000_000)

    let cluster: PrivateCluster
    let database: String
    let ledger: Ledger
    let task: Task<Void, Never>

    static func start(_ cluster: PrivateCluster, database: String, migrations: String) async throws -> LogBench {
        let admin = try PostgresConfiguration(url: cluster.url())
        let connection = try await PostgresConnection.connect(admin)
        _ = try await connection.executeScript("create database \(database)")
        await connection.close()
        let owner = try PostgresConfiguration(url: cluster.url(database: database))
        try await Roles(owner).ensure([Roles.Login(service: "ledger", password: nil)])
        _ = try await Migrator(owner, folder: migrations).apply()
        let role = try PostgresConfiguration(url: cluster.url(database: database, user: "openledger_ledger"))
        let settings = LedgerSettings(database: role, origin: "bench.example/log", keys: [try Ed25519PrivateKey.generate()], instance: "bench")
        let ledger = try await Ledger.make(
            settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics(), clock: LedgerClock { moment })
        let task = Task { await ledger.run() }
        while !ledger.isLeading { try await Task.sleep(for: .milliseconds(5)) }
        return LogBench(cluster: cluster, database: database, ledger: ledger, task: task)
    }

    func stop() async {
        task.cancel()
        await task.value
    }

    /// Canonical events of `bytes` bytes each, every one a command of its own, over `streams` streams.
    static func events(_ count: Int, bytes: Int = 500, streams: Int = 1_000, tag: String) throws -> [[UInt8]] {
        var events: [[UInt8]] = []
        events.reserveCapacity(count)
        var filler = 0
        for index in 0..<count {
            func make(_ filler: Int) throws -> [UInt8] {
                try Event(
                    type: "deposit.received", stream: StreamName("account/\(index % streams)") ?? fallback, time: moment, actor: "bench",
                    cause: .command(id: "\(tag)-\(index)", digest: .zero), ordinal: 0, correlation: "00000000000000000000000000000000",
                    data: ["amount": ["asset": "USDC/6", "amount": .string(String(index))], "memo": .string(String(repeating: "m", count: filler))]
                ).encoded()
            }
            var event = try make(filler)
            if event.count != bytes {
                filler = max(0, filler + bytes - event.count)
                event = try make(filler)
            }
            events.append(event)
        }
        return events
    }

    private static let fallback = StreamName(kind: "account", id: "0").unsafelyUnwrapped
}
