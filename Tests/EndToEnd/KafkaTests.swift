import EventLog
import Events
import Kafka
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("Publication to Kafka", .enabled(if: TestKafka.isAvailable, "OPENLEDGER_TEST_KAFKA names no broker"))
    struct KafkaTests {
        private static let topic = "survival.events"

        private static func settings(_ broker: TestKafka) -> [String: String] {
            ["OPENLEDGER_KAFKA": broker.bootstrap, "OPENLEDGER_KAFKA_PREFIX": "survival"]
        }

        private static func consumer(_ broker: TestKafka) async throws -> KafkaConsumer {
            let consumer = try KafkaConsumer(KafkaConfiguration(brokers: broker.bootstrap), groupID: nil, startAt: .earliest)
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            return consumer
        }

        private static func position(_ record: KafkaRecord) throws -> UInt64 {
            let text = try #require(record.header("ol_position")).map { Character(UnicodeScalar($0)) }
            return try #require(UInt64(String(text)))
        }

        @Test(
            "The ledger killed while it publishes: every event is on the topic, first occurrences in the log's order"
        )
        func killedWhilePublishing() async throws {
            let broker = try await TestKafka.start()
            try await House.with { house in
                var ledger = try await house.startLedger(environment: Self.settings(broker))
                let load = Load("publish", at: ledger)
                for _ in 0..<3 {
                    // What is published moves on while the load does: the kill comes in the middle.
                    let published = try await ledger.metric("openledger_carriage_position") ?? 0
                    try await load.advance(by: 80)
                    try await eventually("publication to move on", timeout: .seconds(30), every: .milliseconds(2)) {
                        try await ledger.metric("openledger_carriage_position") ?? 0 > published
                    }
                    ledger = try await ledger.killAndRestart()
                }
                try await load.advance(by: 80)
                try await load.finish()
                let check = try await LogCheck(ledger)
                check.expect(load)

                let consumer = try await Self.consumer(broker)
                var next: UInt64 = 0
                var repeats = 0
                let deadline = ContinuousClock.now + .seconds(40)
                while next < UInt64(check.events.count), ContinuousClock.now < deadline {
                    for record in try await consumer.next(timeout: .seconds(1)) {
                        let position = try Self.position(record)
                        try #require(position <= next, "position \(position) came where \(next) was due")
                        let event = check.events[Int(position)]
                        let header = check.headers[Int(position)]
                        #expect(record.value == event.bytes && record.partition == 0)
                        #expect(record.key == Array(header.stream.text.utf8))
                        #expect(record.header("ol_version") == Array(String(event.version).utf8))
                        #expect(record.header("ce_id") == Array(header.id.text.utf8) && record.header("ce_type") == Array(header.type.utf8))
                        #expect(
                            record.header("ce_source") == Array(House.origin.utf8) && record.header("ce_specversion") == Array("1.0".utf8))
                        if position == next { next += 1 } else { repeats += 1 }
                    }
                }
                #expect(next == UInt64(check.events.count), "all are there")
                // What is not yet acknowledged when a ledger dies is at most what it has in flight.
                #expect(repeats < check.events.count * 3)
                await consumer.close()
                await ledger.child.stop()
            }
        }

        @Test(
            "Broker away, topic deleted: appends go on, and consumers that ask the ledger for gaps see all"
        )
        func awayAndDeleted() async throws {
            let broker = try await TestKafka.start()
            try await House.with { house in
                let ledger = try await house.startLedger(environment: Self.settings(broker))
                let load = Load("away", at: ledger, callers: 2)
                // One stays at it all the time; the other is not there when the topic goes.
                let steady = Follower(broker, ledger)
                let absent = Follower(broker, ledger)
                let following = Task { await steady.run() }
                defer { following.cancel() }
                let followingAtFirst = Task { await absent.run() }
                try await load.advance(by: 100)
                try await eventually("both to follow", timeout: .seconds(40)) { try await min(steady.progress(), absent.progress()) > 50 }

                try await broker.kill()
                let back = ContinuousClock.now + TestInput.kafkaAway
                repeat { try await load.advance(by: 200) } while ContinuousClock.now < back
                #expect(load.repeated == 0, "no append waits for Kafka: \(load.failures)")
                try await broker.restart()
                let size = try await ledger.status().size
                try await eventually("both to catch up", timeout: .seconds(60)) {
                    try await min(steady.progress(), absent.progress()) >= size
                }

                followingAtFirst.cancel()
                await followingAtFirst.value
                let left = try await absent.progress()
                try await eventually("publication to move on", timeout: .seconds(30)) {
                    try await ledger.metric("openledger_carriage_position") ?? 0 > Double(left + 50)
                }
                try await broker.admin("topics", "--delete", "--topic", Self.topic)
                try await load.advance(by: 200)
                try await load.finish()
                #expect(load.repeated == 0, "\(load.failures)")
                let followingAgain = Task { await absent.run() }
                defer { followingAgain.cancel() }
                let end = try await ledger.status().size
                // The topic comes back by the ledger, and with its next event the followers learn of all before it.
                var count = 0
                try await eventually("both to have all \(end)", timeout: .seconds(60), every: .milliseconds(200)) {
                    count += 1
                    _ = try await ledger.client().append(try Sample.append("other-nudge-\(count)"))
                    return try await min(steady.progress(), absent.progress()) >= end
                }
                let check = try await LogCheck(ledger)
                check.expect(load)
                for follower in [steady, absent] {
                    let seen = await follower.seen
                    #expect(seen.count >= Int(end) && seen.elementsEqual(check.events.prefix(seen.count).map(\.bytes)))
                }
                #expect(await absent.asked > 0, "the deleted topic took some with it, which the ledger had")
                await ledger.child.stop()
            }
        }
    }
}

/// A consumer as the contract has it: knows the next position it wants, ignores lower ones, and fetches from the ledger what
/// is missing before a higher one.
private actor Follower {
    private let broker: TestKafka
    private let ledger: LedgerProcess
    private(set) var seen: [[UInt8]] = []
    /// Events that came from the ledger.
    private(set) var asked = 0

    private var failure: (any Error)?

    /// The next position it wants.
    /// - Throws: why it has ended.
    func progress() throws -> UInt64 {
        if let failure { throw failure }
        return next
    }

    private var next: UInt64 { UInt64(seen.count) }

    init(_ broker: TestKafka, _ ledger: LedgerProcess) {
        self.broker = broker
        self.ledger = ledger
    }

    func run() async {
        do { try await follow() } catch is CancellationError {} catch { failure = error }
    }

    private func follow() async throws {
        while !Task.isCancelled {
            let consumer = try KafkaConsumer(KafkaConfiguration(brokers: broker.bootstrap), groupID: nil, startAt: .earliest)
            do {
                try await consumer.assign([.beginning(KafkaPartition("survival.events", 0))])
                // After a silence it looks anew, as the topic may be another one of the same name.
                while case let records = try await consumer.next(timeout: .seconds(2)), !records.isEmpty {
                    for record in records { try await take(record) }
                }
            } catch is KafkaError {
                // The broker or the topic is away; both come back.
            } catch {
                await consumer.close()
                throw error
            }
            await consumer.close()
        }
    }

    private func take(_ record: KafkaRecord) async throws {
        guard let header = record.header("ol_position"), let position = UInt64(String(decoding: header, as: UTF8.self)),
            let value = record.value
        else {
            throw Unfit("a record without a position")
        }
        while next < position {
            let batch = try await ledger.client().read(from: next, limit: Int(min(position - next, 1_000)), wait: nil)
            guard !batch.events.isEmpty else { throw Unfit("the ledger lacks \(next)") }
            seen += batch.events.map(\.bytes)
            asked += batch.events.count
        }
        if position == next { seen.append(value) }
    }
}
