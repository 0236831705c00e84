import EventLog
import Events
import Kafka
import LedgerService
import Projections
import Telemetry
import TestSupport
import Testing

@Suite(.enabled(if: TestKafka.isAvailable), .serialized) struct KafkaCarrierTests {
    private static let topic = "test.events"

    /// A broker, a ledger that publishes to it, and a carrier that reads from it.
    private func withCarriage(
        _ body: @Sendable (TestKafka, ProjectionDatabase, Ledger, KafkaConfiguration) async throws -> Void
    ) async throws {
        let broker = try await TestKafka.start()
        try await withProjectionDatabase { database in
            let configuration = KafkaConfiguration(brokers: broker.bootstrap)
            try await database.withLedger({ $0.kafka = (configuration, Self.topic, 1) }) { ledger in
                try await body(broker, database, ledger, configuration)
            }
        }
    }

    private func carrier(_ configuration: KafkaConfiguration, _ client: any LogClient, _ metrics: Metrics = Metrics()) throws
        -> KafkaCarrier
    {
        var patience = KafkaCarrier.Patience()
        patience.silence = .milliseconds(300)
        patience.renewal = .seconds(2)
        return try KafkaCarrier(configuration, topic: Self.topic, client: client, patience: patience, metrics: metrics)
    }

    private func count(_ what: String, _ metrics: Metrics) -> Int {
        let line = metrics.render().split(separator: "\n").first { $0.hasPrefix("openledger_projection_kafka_\(what)_total ") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? -1
    }

    @Test func `events come over Kafka, to one who starts with the log and to one who starts late`() async throws {
        try await withCarriage { _, database, ledger, configuration in
            // Reads through it are counted: once Kafka brings the events, the ledger is left in peace.
            let client = CountingClient(ledger.client(for: .billing))
            let deposits = Deposits("over-kafka", client)
            let late = try await deposits.append(random: 500)
            try await database.withRunner(Balances(), try carrier(configuration, client), client) { runner in
                try await runner.waitUntilApplied(late - 1, timeout: .seconds(30))
                try await eventually("Kafka brings what is new", timeout: .seconds(60)) {
                    let before = await client.eventsRead
                    let end = try await deposits.append(random: 5)
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(30))
                    return await client.eventsRead == before
                }
                let end = try await deposits.append(random: 2_000)
                try await runner.waitUntilApplied(end - 1, timeout: .seconds(30))
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
            }
        }
    }

    @Test func `a broker that is killed costs nothing, while it is away and when it is back`() async throws {
        try await withCarriage { broker, database, ledger, configuration in
            let client = ledger.client(for: .billing)
            let deposits = Deposits("killed-broker", client)
            let metrics = Metrics()
            try await database.withRunner(Balances(), try carrier(configuration, client, metrics), client) { runner in
                let first = try await deposits.append(random: 100)
                try await runner.waitUntilApplied(first - 1, timeout: .seconds(30))
                try await broker.kill()
                let back = ContinuousClock.now + TestInput.kafkaAway
                var rounds = 0
                while rounds < 10 || ContinuousClock.now < back {
                    let end = try await deposits.append(random: 20)
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(10))
                    rounds += 1
                }
                #expect(runner.status.notReady == nil)
                #expect(count("fallbacks", metrics) >= 1)
                try await broker.restart()
                try await bringsAgain(runner, deposits, metrics)
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
            }
        }
    }

    @Test func `a deleted topic costs nothing, and the one made anew is read`() async throws {
        try await withCarriage { broker, database, ledger, configuration in
            let client = ledger.client(for: .billing)
            let deposits = Deposits("deleted-topic", client)
            let metrics = Metrics()
            try await database.withRunner(Balances(), try carrier(configuration, client, metrics), client) { runner in
                let first = try await deposits.append(random: 100)
                try await runner.waitUntilApplied(first - 1, timeout: .seconds(30))
                try await broker.admin("topics", "--delete", "--topic", Self.topic)
                for _ in 0..<5 {
                    let end = try await deposits.append(random: 20)
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(10))
                }
                try await bringsAgain(runner, deposits, metrics)
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
            }
        }
    }

    @Test func `records that carry no event, another position or an old event do no harm`() async throws {
        try await withCarriage { _, database, ledger, configuration in
            let client = ledger.client(for: .billing)
            let deposits = Deposits("bad-records", client)
            let metrics = Metrics()
            try await database.withRunner(Balances(), try carrier(configuration, client, metrics), client, metrics: metrics) { runner in
                let first = try await deposits.append(random: 20)
                try await runner.waitUntilApplied(first - 1, timeout: .seconds(30))
                try await bringsAgain(runner, deposits, metrics)
                let producer = try KafkaProducer(configuration)
                let log = try await wholeLog(client)
                let id = try EventHeader(parsing: log[3].bytes).id.text
                func record(_ value: [UInt8]?, position: String?, version: String = "0", id: String) -> KafkaRecord {
                    var headers = [KafkaHeader("ol_version", version), KafkaHeader("ce_id", id)]
                    if let position { headers.append(KafkaHeader("ol_position", position)) }
                    return KafkaRecord(topic: Self.topic, partition: 0, value: value, headers: headers)
                }
                _ = try await producer.send(batch: [
                    record(nil, position: "3", id: id), record(log[3].bytes, position: nil, id: id),
                    record(log[3].bytes, position: "-1", id: id),
                    record(log[3].bytes, position: "99999999999999999999999", id: id), record(Array("{}".utf8), position: "3", id: id),
                    record(log[3].bytes, position: "3", id: "another"), record(log[3].bytes, position: "3", id: id),
                    KafkaRecord(topic: Self.topic, partition: 0, value: []),
                ])
                await producer.close()
                let end = try await deposits.append(random: 50)
                try await runner.waitUntilApplied(end - 1, timeout: .seconds(30))
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                try await eventually("they were read") { metrics.render().contains("openledger_projection_kafka_unreadable_total 7") }
            }
        }
    }

    @Test func `a configuration that is not accepted is told at the start`() {
        #expect(throws: KafkaError.self) {
            _ = try KafkaCarrier(KafkaConfiguration(brokers: "127.0.0.1:1", properties: ["no.such": "thing"]), topic: "t", client: NoLog())
        }
    }

    /// Appends until Kafka is again the one who brings what is new, several times in a row.
    private func bringsAgain(_ runner: ProjectionRunner, _ deposits: Deposits, _ metrics: Metrics) async throws {
        var inARow = 0
        try await eventually("Kafka brings events again", timeout: .seconds(90), every: .milliseconds(20)) {
            let before = count("events", metrics)
            let end = try await deposits.append(random: 3)
            try await runner.waitUntilApplied(end - 1, timeout: .seconds(10))
            inARow = count("events", metrics) == before + 3 ? inARow + 1 : 0
            return inARow == 5
        }
    }
}

/// Counts the events read through it.
actor CountingClient: LogClient {
    private let inner: any LogClient
    private(set) var eventsRead = 0

    init(_ inner: any LogClient) { self.inner = inner }

    func append(_ request: AppendRequest) async throws -> Appended { try await inner.append(request) }
    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        let batch = try await inner.read(from: position, limit: limit, wait: wait)
        eventsRead += batch.events.count
        return batch
    }
    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await inner.read(stream: stream, from: version, limit: limit)
    }
}
