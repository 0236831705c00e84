import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import Kafka
import LedgerService
import Postgres
import PrivatePostgres
import Projections
import Telemetry

/// How soon an event is visible in a read model after its append was acknowledged, and how fast a read model is rebuilt.
enum ProjectionBench {
    /// A read model of one row an event, and a balance.
    private struct Deposits: Projection {
        static let sql = """
            create schema bench; grant usage on schema bench to openledger_ledger;
            create table bench.deposits (position bigint primary key, stream text not null, bytes integer not null);
            create table bench.streams (stream text primary key, events bigint not null);
            grant select, insert, update, delete on bench.deposits, bench.streams to openledger_ledger;
            """
        let name = "deposits"
        let schema = "bench"
        let version = 1
        let tables = ["deposits", "streams"]

        func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
            let positions = events.map { Int64($0.position) }
            let streams = events.map(\.header.stream.text)
            let sizes = events.map { Int64($0.bytes.count) }
            _ = try session.pipeline([
                (
                    Statement("insert into \(tables["deposits"]) select * from unnest($1::bigint[], $2::text[], $3::integer[])"),
                    [.int8Array(positions), .textArray(streams), .int8Array(sizes)]
                ),
                (
                    Statement(
                        """
                        insert into \(tables["streams"]) as s select stream, count(*) from unnest($1::text[]) as e (stream) group by stream
                        on conflict (stream) do update set events = s.events + excluded.events
                        """), [.textArray(streams)]
                ),
            ])
        }
    }

    /// OPENLEDGER_BENCH_KAFKA names a broker, `host:port`, to measure over it too; else one is started from the folder that
    /// OPENLEDGER_TEST_KAFKA names.
    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        row("append to visible in a read model", "per second", "p50", "p99")
        let count = options.seconds * 500
        try await measure(cluster, "bench_visible", nil, count, options.seconds * 25_000)
        let environment = ProcessInfo.processInfo.environment
        if let brokers = environment["OPENLEDGER_BENCH_KAFKA"] {
            try await measure(cluster, "bench_visible_kafka", brokers, count, 0)
        } else if let place = environment["OPENLEDGER_TEST_KAFKA"] {
            try await withBroker(place) { try await measure(cluster, "bench_visible_kafka", $0, count, 0) }
        } else {
            row("  over Kafka: OPENLEDGER_BENCH_KAFKA names no broker, OPENLEDGER_TEST_KAFKA no folder with one")
        }
    }

    /// A broker for as long as the body takes, from a folder with Kafka in it.
    private static func withBroker(_ place: String, _ body: (_ address: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-kafka-\(getpid())").path
        func kafka(_ verb: String, _ words: String...) async throws -> String {
            let outcome = try await Subprocess.run([place + "/kafka", verb, folder] + words, timeout: .seconds(120))
            guard outcome.status.isSuccess else { throw BenchmarkError("kafka \(verb): \(outcome.output) \(outcome.errors)") }
            return outcome.output
        }
        guard let address = try await kafka("start", "0").split(separator: "\n").last.map(String.init) else {
            throw BenchmarkError("the broker names no address")
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(address)) } catch { result = .failure(error) }
        _ = try? await kafka("kill")
        try? FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private static func measure(
        _ cluster: PrivateCluster, _ database: String, _ brokers: String?, _ count: Int, _ replay: Int
    ) async throws {
        let topic = "bench-\(database)"
        let kafka = brokers.map { KafkaConfiguration(brokers: $0) }
        let bench = try await LogBench.start(cluster, database: database, kafka: kafka.map { ($0, topic, 1) })
        let owner = try PostgresConfiguration(url: cluster.url(database: database))
        let connection = try await PostgresConnection.connect(owner)
        try await connection.executeScript(Deposits.sql)
        try await connection.executeScript(PositionTable.sql(schema: "bench", role: "openledger_ledger"))
        let client = bench.ledger.client(for: .billing)
        let carrier: any EventCarrier
        if let kafka { carrier = try KafkaCarrier(kafka, topic: topic, client: client) } else { carrier = LedgerCarrier(client) }
        let role = try PostgresConfiguration(url: cluster.url(database: database, user: "openledger_ledger"))
        let runner = try ProjectionRunner(Deposits(), carrier: carrier, client: client, database: role)
        let task = Task { await runner.run() }

        let name = brokers == nil ? "embedded" : "over Kafka"
        let warm = try LogBench.events(300, tag: "warm")
        for event in warm {
            try await runner.waitUntilApplied(try await client.append(AppendRequest(events: [event])).position, timeout: .seconds(60))
        }
        for callers in [1, 32] {
            let events = try LogBench.events(count, tag: "visible\(callers)")
            // The time beyond the append's own answer: that is when its writer could begin to wait.
            let beyond = Samples()
            let figures = try await load(callers: callers, count: count) { index in
                let position = try await client.append(AppendRequest(events: [events[index]])).position
                let answered = monotonic()
                try await runner.waitUntilApplied(position, timeout: .seconds(60))
                await beyond.add(monotonic() - answered)
            }
            let sorted = await beyond.sorted
            row(
                "  \(name), \(callers) callers, beyond the commit", thousands(figures.perSecond), micro(sorted[sorted.count / 2]),
                micro(sorted[sorted.count * 99 / 100]))
        }
        if replay > 0 {
            let batches = try LogBench.bulk(replay, each: 1_000, tag: "replay")
            let start = monotonic()
            for batch in batches { _ = try await client.append(AppendRequest(events: batch)) }
            let appended = monotonic()
            try await runner.waitUntilApplied(bench.ledger.tail.size - 1, timeout: .seconds(600))
            row("  \(replay) events appended in thousands", thousands(Double(replay) / (appended - start)))
            row("  the same until all are visible", thousands(Double(replay) / (monotonic() - start)))
            let begun = monotonic()
            let report = try await ProjectionRebuild(Deposits(), client: client, database: owner).run()
            row("  rebuild beside the live rows, and swap", thousands(Double(report.next) / (monotonic() - begun)))
        }
        task.cancel()
        await task.value
        await connection.close()
        await bench.stop()
    }

    private actor Samples {
        private var all: [Double] = []
        func add(_ value: Double) { all.append(value) }
        var sorted: [Double] { all.sorted() }
    }
}
