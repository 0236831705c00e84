import Foundation
import Kafka
import Synchronization
import Testing

/// The cluster that the tests run against: a real broker where one is given, else librdkafka's mock brokers.
enum TestCluster {
    private static let environment = ProcessInfo.processInfo.environment
    /// The folder with the `kafka` launcher.
    private static let launcher = environment["OPENLEDGER_TEST_KAFKA"].map { $0 + "/kafka" }
    private static let readyBrokers = environment["OPENLEDGER_TEST_KAFKA_BROKERS"]

    static var isReal: Bool { launcher != nil || readyBrokers != nil }
    static var hasLauncher: Bool { launcher != nil }
    static let needsRealBroker: Comment =
        "needs a real broker: set OPENLEDGER_TEST_KAFKA to the launcher's folder, or OPENLEDGER_TEST_KAFKA_BROKERS to an address"
    static let needsLauncher: Comment = "kills and restarts a broker: set OPENLEDGER_TEST_KAFKA to the launcher's folder"

    /// For what hangs: whoever comes first also waits for the broker to start, which on a busy machine takes a minute.
    static let patience = TimeLimitTrait.timeLimit(.minutes(5))

    private struct Running: Sendable {
        var brokers: String
        var keep: any Sendable
    }

    private static let running = Task { () -> Running in
        if let readyBrokers {
            print("Kafka tests: real broker at \(readyBrokers)")
            return Running(brokers: readyBrokers, keep: 0)
        }
        if let launcher {
            let broker = try await TestBroker.start(launcher: launcher)
            print("Kafka tests: real broker started at \(broker.address)")
            return Running(brokers: broker.address, keep: broker)
        }
        // A client that hosts mock brokers on loopback, for whoever connects.
        let host = try KafkaAdmin(KafkaConfiguration(brokers: "", properties: ["test.mock.num.brokers": "1"]))
        let brokers = try await host.describeBrokers()
        print("Kafka tests: no real broker given; librdkafka's mock cluster stands in, and tests that need a real one are skipped")
        return Running(brokers: brokers.map(\.address).joined(separator: ","), keep: host)
    }

    /// A configuration for the shared cluster.
    static func configuration(_ properties: [String: String] = [:]) async throws -> KafkaConfiguration {
        KafkaConfiguration(brokers: try await running.value.brokers, clientID: "tests", properties: properties)
    }

    private static let victim = Task { try await TestBroker.start(launcher: try #require(launcher)) }
    /// A broker to be killed, up and running: for one test at a time.
    static func brokerToKill() async throws -> TestBroker {
        let broker = try await victim.value
        // The test before may have left it dead.
        try await broker.restart()
        return broker
    }

    private static let counter = Counter()
    static func name(_ kind: String) -> String { "\(kind)-\(getpid())-\(counter.add(1))" }

    /// A fresh topic. The mock cluster makes topics on sight, with four partitions.
    static func topic(partitions: Int32 = 1) async throws -> String {
        let topic = name("topic")
        guard isReal else { return topic }
        try await withAdmin(configuration()) { try await $0.createTopic(topic, partitions: partitions) }
        return topic
    }
}

/// Clients that are closed whatever happens.
@discardableResult
func withAdmin<Result: Sendable>(
    _ configuration: KafkaConfiguration, _ body: (KafkaAdmin) async throws -> Result
) async throws -> Result {
    let admin = try KafkaAdmin(configuration)
    do {
        let result = try await body(admin)
        await admin.close()
        return result
    } catch {
        await admin.close()
        throw error
    }
}

@discardableResult
func withProducer<Result: Sendable>(
    _ configuration: KafkaConfiguration, _ body: (KafkaProducer) async throws -> Result
) async throws -> Result {
    let producer = try KafkaProducer(configuration)
    do {
        let result = try await body(producer)
        await producer.close()
        return result
    } catch {
        await producer.close(timeout: .zero)
        throw error
    }
}

@discardableResult
func withConsumer<Result: Sendable>(
    _ configuration: KafkaConfiguration, group: String? = nil, startAt: KafkaConsumer.Start = .earliest,
    _ body: (KafkaConsumer) async throws -> Result
) async throws -> Result {
    let consumer = try KafkaConsumer(configuration, groupID: group, startAt: startAt)
    do {
        let result = try await body(consumer)
        await consumer.close()
        return result
    } catch {
        await consumer.close()
        throw error
    }
}

extension KafkaConsumer {
    /// Reads until `count` records are there; fewer mean that a minute went by.
    func read(_ count: Int) async throws -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        let end = ContinuousClock.now + .seconds(60)
        while records.count < count, ContinuousClock.now < end {
            records += try await next(max: count - records.count, timeout: end - ContinuousClock.now)
        }
        return records
    }

    /// The next event of any kind within a minute.
    func event(max: Int = 1_000) async throws -> KafkaConsumerEvent {
        try #require(try await nextEvent(max: max, timeout: .seconds(60)))
    }
}

/// Numbered records for partition 0.
func numbered(_ range: Range<Int>, topic: String) -> [KafkaRecord] {
    range.map { KafkaRecord(topic: topic, partition: 0, key: Array("k\($0)".utf8), value: Array(String($0).utf8)) }
}

func number(_ record: KafkaRecord) -> Int? { record.value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } }

/// An address where nothing listens.
let nowhere = "127.0.0.1:1"

final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func add(_ count: Int) -> Int { value.add(count, ordering: .relaxed).newValue }
}
