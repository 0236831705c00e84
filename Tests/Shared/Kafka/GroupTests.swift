import Kafka
import Testing

/// What a group's members see when its partitions move.
@Suite(.enabled(if: TestCluster.isReal, TestCluster.needsRealBroker), .timeLimit(.minutes(2)))
struct GroupTests {
    private func partitions(_ event: KafkaConsumerEvent) -> Set<Int32> {
        switch event {
        case .assigned(let partitions), .revoked(let partitions, _): Set(partitions.map(\.partition))
        case .records: []
        }
    }

    @Test func aReaderStartsWhereItSeeksAfterTheAssignment() async throws {
        let topic = try await TestCluster.topic()
        _ = try await withProducer(TestCluster.configuration()) { try await $0.send(batch: numbered(0..<20, topic: topic)) }
        try await withConsumer(TestCluster.configuration(), group: TestCluster.name("group")) { consumer in
            try await consumer.subscribe([topic])
            #expect(try await consumer.event() == .assigned([KafkaPartition(topic, 0)]))
            try await consumer.seek(KafkaPosition(topic, 0, offset: 15))
            #expect(try await consumer.read(5).compactMap(number) == Array(15..<20))
        }
    }

    @Test(arguments: ["range", "cooperative-sticky"])
    func twoReadersShareThePartitionsAndEachRecordIsReadOnce(strategy: String) async throws {
        let topic = try await TestCluster.topic(partitions: 4)
        let configuration = try await TestCluster.configuration(["partition.assignment.strategy": strategy, "heartbeat.interval.ms": "200"])
        let group = TestCluster.name("group")
        func fill(_ range: Range<Int>) async throws {
            let records = range.map { KafkaRecord(topic: topic, partition: Int32($0 % 4), value: Array(String($0).utf8)) }
            _ = try await withProducer(TestCluster.configuration()) { try await $0.send(batch: records) }
        }
        try await fill(0..<40)
        try await withConsumer(configuration, group: group) { first in
            try await first.subscribe([topic])
            #expect(partitions(try await first.event()) == [0, 1, 2, 3])
            var seen = try await first.read(40).compactMap(number)
            try await first.commit((0..<4).map { KafkaPosition(topic, $0, offset: 10) })
            try await withConsumer(configuration, group: group) { second in
                try await second.subscribe([topic])
                // Both must go on asking while the group settles; each keeps what it holds.
                async let one = settle(first, holding: [0, 1, 2, 3])
                async let two = settle(second, holding: [])
                let (held, other) = try await (one, two)
                #expect(held.count == 2)
                #expect(other.count == 2)
                #expect(held.union(other) == [0, 1, 2, 3])
                try await fill(40..<80)
                let a = try await first.read(20)
                let b = try await second.read(20)
                #expect(Set(a.compactMap(\.partition)) == held)
                #expect(Set(b.compactMap(\.partition)) == other)
                seen += (a + b).compactMap(number)
                for records in [a, b] {
                    for (_, run) in Dictionary(grouping: records, by: \.partition) { #expect(run.map(\.offset) == Array(10..<20)) }
                }
            }
            #expect(seen.sorted() == Array(0..<80))
        }
    }

    /// Goes on reading until two partitions are held.
    private func settle(_ consumer: KafkaConsumer, holding: Set<Int32>) async throws -> Set<Int32> {
        var held = holding
        while held.count != 2 {
            switch try await consumer.event() {
            case .assigned(let partitions): held.formUnion(partitions.map(\.partition))
            case .revoked(let partitions, let lost):
                #expect(!lost)
                held.subtract(partitions.map(\.partition))
            case .records(let records): Issue.record("committed records came again: \(records)")
            }
        }
        // The last change is accepted by asking again.
        #expect(try await consumer.nextEvent(timeout: .zero) == nil)
        return held
    }

    @Test func partitionsMoveOnlyWhenTheirReaderLetsThemGo() async throws {
        let topic = try await TestCluster.topic(partitions: 2)
        let configuration = try await TestCluster.configuration([
            "partition.assignment.strategy": "range", "heartbeat.interval.ms": "200",
        ])
        let group = TestCluster.name("group")
        _ = try await withProducer(TestCluster.configuration()) { try await $0.send(batch: numbered(0..<5, topic: topic)) }
        try await withConsumer(configuration, group: group) { first in
            try await first.subscribe([topic])
            #expect(partitions(try await first.event()) == [0, 1])
            #expect(try await first.read(5).count == 5)
            try await withConsumer(configuration, group: group) { second in
                try await second.subscribe([topic])
                let joined = Task { try await second.event() }
                let revoked = try await first.event()
                #expect(partitions(revoked) == [0, 1])
                guard case .revoked(_, lost: false) = revoked else {
                    Issue.record("\(revoked)")
                    return
                }
                // The first reader still holds the partitions, and so can commit what it has done.
                try await first.commit([KafkaPosition(topic, 0, offset: 5)])
                #expect(try await second.assignment().isEmpty)
                async let mine = first.event()
                let (one, other) = try await (mine, joined.value)
                #expect(partitions(one).count == 1)
                #expect(partitions(one).union(partitions(other)) == [0, 1])
            }
        }
    }

    @Test func aMemberThatIsFencedGetsAFatalError() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration(["group.instance.id": "one", "heartbeat.interval.ms": "200"])
        let group = TestCluster.name("group")
        try await withConsumer(configuration, group: group) { first in
            try await first.subscribe([topic])
            #expect(partitions(try await first.event()) == [0])
            try await withConsumer(configuration, group: group) { second in
                try await second.subscribe([topic])
                #expect(partitions(try await second.event()) == [0])
                var fatal: KafkaError?
                do { while fatal == nil { _ = try await first.event() } } catch { fatal = error as? KafkaError }
                #expect(fatal?.isFatal == true, "\(String(describing: fatal))")
            }
        }
    }
}
