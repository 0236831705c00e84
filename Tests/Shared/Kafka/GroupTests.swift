import Kafka
import Synchronization
import Testing
import Threads

/// What a group's members see when its partitions move.
@Suite(.enabled(if: TestCluster.isReal, TestCluster.needsRealBroker), TestCluster.patience)
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
                // Both go on asking until the group has settled, because it may take more rounds than one; each keeps
                // what it holds.
                let shares = Shares([[0, 1, 2, 3], []])
                async let one: Void = settle(first, 0, shares)
                async let two: Void = settle(second, 1, shares)
                _ = try await (one, two)
                let (held, other) = (shares[0], shares[1])
                #expect(held.count == 2)
                #expect(other.count == 2)
                #expect(held.union(other) == [0, 1, 2, 3])
                try await fill(40..<80)
                async let ofFirst = first.read(20)
                async let ofSecond = second.read(20)
                let (a, b) = try await (ofFirst, ofSecond)
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

    /// What each of the readers holds, as all of them see it.
    private final class Shares: Sendable {
        private let held: Lock<[Set<Int32>]>
        init(_ held: [Set<Int32>]) { self.held = Lock(held) }

        subscript(reader: Int) -> Set<Int32> { held.withLock { $0[reader] } }
        var areSettled: Bool { held.withLock { $0.allSatisfy { $0.count == 2 } } }

        func change(_ reader: Int, _ body: (inout Set<Int32>) -> Void) { held.withLock { body(&$0[reader]) } }
    }

    /// Goes on reading, which also accepts each change, until both readers hold two partitions.
    private func settle(
        _ consumer: KafkaConsumer, _ reader: Int, _ shares: Shares
    ) async throws {
        let end = ContinuousClock.now + .seconds(60)
        repeat {
            switch try await consumer.nextEvent(timeout: .milliseconds(50)) {
            case .assigned(let partitions): shares.change(reader) { $0.formUnion(partitions.map(\.partition)) }
            case .revoked(let partitions, let lost):
                #expect(!lost)
                shares.change(reader) { $0.subtract(partitions.map(\.partition)) }
            case .records(let records): Issue.record("committed records came again: \(records)")
            case nil: continue
            }
        } while !shares.areSettled && ContinuousClock.now < end
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

    @Test func aTopicThatIsMadeAfterTheSubscriptionIsReadAsSoonAsItIsThere() async throws {
        let topic = TestCluster.name("late")
        let (troubles, sink) = AsyncStream.makeStream(of: KafkaError.self)
        // The metadata's own refresh would come too late to be what found it.
        var configuration = try await TestCluster.configuration(["topic.metadata.refresh.interval.ms": "300000"])
        configuration.observer.trouble = { sink.yield($0) }
        try await withConsumer(configuration, group: TestCluster.name("group")) { consumer in
            try await consumer.subscribe([topic])
            let event = Task { try await consumer.event() }
            for await trouble in troubles where trouble.text.contains(topic) { break }
            try await withAdmin(TestCluster.configuration()) { try await $0.createTopic(topic, partitions: 1) }
            #expect(try await event.value == .assigned([KafkaPartition(topic, 0)]))
        }
    }

    @Test func aSubscribedTopicThatStaysAwayIsAnErrorThatNamesIt() async throws {
        let here = try await TestCluster.topic()
        let absent = TestCluster.name("absent")
        let configuration = try await TestCluster.configuration(["topic.metadata.propagation.max.ms": "300"])
        try await withConsumer(configuration, group: TestCluster.name("group")) { consumer in
            try await consumer.subscribe([here, absent])
            var failure: KafkaError?
            do { while failure == nil { _ = try await consumer.event() } } catch { failure = error as? KafkaError }
            #expect(failure?.code == .unknownTopicOrPartition)
            #expect(failure?.text.contains(absent) == true && failure?.text.contains(here) == false, "\(String(describing: failure))")
            // What is there is read all the same.
            _ = try await withProducer(configuration) { try await $0.send(batch: numbered(0..<1, topic: here)) }
            var records: [KafkaRecord] = []
            while records.isEmpty {
                do { records = try await consumer.read(1) } catch let error as KafkaError where error.code == .unknownTopicOrPartition {}
            }
            #expect(records.map(\.topic) == [here])
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
