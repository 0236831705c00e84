import EventLog
import Events
import Kafka
import TestSupport
import Testing

@testable import LedgerService

@Suite(.enabled(if: TestKafka.isAvailable, "needs OPENLEDGER_TEST_KAFKA: a folder with a Kafka broker"))
struct CarriageTests {
    private func settings(_ database: LedgerDatabase, _ broker: TestKafka) throws -> LedgerSettings {
        var settings = try database.settings()
        settings.kafka = (KafkaConfiguration(brokers: broker.bootstrap, clientID: "test"), "test.events", 1)
        return settings
    }

    /// Everything on the topic, until the position `end - 1` has been seen.
    private func records(_ broker: TestKafka, until end: UInt64) async throws -> [KafkaRecord] {
        let consumer = try KafkaConsumer(
            KafkaConfiguration(brokers: broker.bootstrap, clientID: "reader"), groupID: nil, startAt: .earliest)
        try await consumer.assign([.beginning(KafkaPartition("test.events", 0))])
        var records: [KafkaRecord] = []
        try await eventually("position \(end - 1) is on the topic", timeout: .seconds(60)) {
            records += try await consumer.next(timeout: .seconds(1))
            return try records.last.map { try number("ol_position", $0) + 1 } ?? 0 >= end
        }
        await consumer.close()
        return records
    }

    private func number(_ header: String, _ record: KafkaRecord) throws -> UInt64 {
        let value = try #require(record.header(header))
        return try #require(UInt64(String(decoding: value, as: UTF8.self)))
    }

    @Test func `every event is published in order with its headers, and a restart goes on without a hole`() async throws {
        let broker = try await TestKafka.start()
        try await withLedgerDatabase { database in
            let settings = try settings(database, broker)
            var log: [LoggedEvent] = []
            for round in 0..<2 {
                log = try await database.withLedger(settings) { ledger in
                    for index in 0..<20 {
                        _ = try await ledger.append(
                            try Sample.append("r\(round)-\(index)", "account/\(index % 3)", "account/x"), writer: .billing)
                    }
                    return try await readAll(ledger)
                }
                // Stopped before all of it may have been published: the next process goes on.
            }
            #expect(log.count == 80)
            try await database.withLedger(settings) { _ in _ = try await records(broker, until: 80) }
            let published = try await records(broker, until: 80)
            // Some may come again after a stop; each time the same, and never one before the one that precedes it.
            var next: UInt64 = 0
            for record in published {
                let position = try number("ol_position", record)
                #expect(position <= next)
                next = max(next, position + 1)
                let event = log[Int(position)]
                let header = try EventHeader(parsing: event.bytes)
                #expect(record.partition == 0 && record.value == event.bytes)
                #expect(record.key == Array(header.stream.text.utf8))
                #expect(try number("ol_version", record) == event.version)
                let attributes = try CloudEvent(record)
                #expect(attributes.id == header.id.text && attributes.type == header.type && attributes.source == "test.example/log")
                #expect(attributes.subject == header.stream.text && attributes.time == header.time.description)
            }
            #expect(next == 80)
        }
    }

    @Test func `what is published again after its place was lost, or the topic was deleted, is the same`() async throws {
        let broker = try await TestKafka.start()
        try await withLedgerDatabase { database in
            let settings = try settings(database, broker)
            try await database.withLedger(settings) { ledger in
                for index in 0..<10 { _ = try await ledger.append(try Sample.append("c\(index)"), writer: .billing) }
                _ = try await records(broker, until: 10)
                // Kept after the acknowledgement, so a moment behind what a consumer sees.
                try await eventually { try await database.database.sql("select next from ledger.carriage").hasPrefix("10") }
            }
            try await database.database.sql("update ledger.carriage set next = 4")
            try await database.withLedger(settings) { ledger in
                _ = try await ledger.append(try Sample.append("c10"), writer: .billing)
                let again = try await records(broker, until: 11)
                #expect(try again.map { try number("ol_position", $0) } == Array(0..<10) + Array(4..<11))
                #expect(Set(again.map(\.value)).count == 11)
                try await eventually { try await database.database.sql("select next from ledger.carriage").hasPrefix("11") }
            }
            try await broker.admin("topics", "--delete", "--topic", "test.events")
            try await database.withLedger(settings) { ledger in
                _ = try await ledger.append(try Sample.append("c11"), writer: .billing)
                let rest = try await records(broker, until: 12)
                #expect(try rest.map { try number("ol_position", $0) } == [11], "the ledger remembers the others")
            }
        }
    }

    @Test func `a broker that is away holds up no append`() async throws {
        let broker = try await TestKafka.start()
        try await withLedgerDatabase { database in
            try await database.withLedger(try settings(database, broker)) { ledger in
                _ = try await ledger.append(try Sample.append("c0"), writer: .billing)
                _ = try await records(broker, until: 1)
                try await broker.kill()
                for index in 1..<30 { _ = try await ledger.append(try Sample.append("c\(index)"), writer: .billing) }
                try await broker.restart()
                let all = try await records(broker, until: 30)
                #expect(try Set(all.map { try number("ol_position", $0) }) == Set(0..<30))
            }
        }
    }
}
