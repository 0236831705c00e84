import Kafka
import Testing

/// What is promised over crashes of the broker. Each test has a broker of its own to kill.
@Suite(.serialized, .enabled(if: TestCluster.hasLauncher, TestCluster.needsLauncher), .timeLimit(.minutes(3)))
struct FaultTests {
    private func configuration(_ broker: TestBroker, _ properties: [String: String] = [:]) -> KafkaConfiguration {
        KafkaConfiguration(brokers: broker.address, clientID: "tests", properties: properties)
    }

    @Test func everyAcknowledgedRecordIsThereOnceAndInOrderOverCrashes() async throws {
        let broker = try await TestCluster.ownBroker()
        let topic = TestCluster.name("topic")
        try await withAdmin(configuration(broker)) { try await $0.createTopic(topic, partitions: 1) }
        let total = 6_000
        let acknowledged = Counter()
        let (progress, sink) = AsyncStream.makeStream(of: Int.self)
        let deliveries = try await withProducer(configuration(broker)) { producer in
            async let crashes: Void = {
                var crashes = 0
                // In the midst of the stream, wherever it is then.
                for await count in progress where count >= (crashes + 1) * 1_500 {
                    crashes += 1
                    if crashes > 2 { break }
                    try await broker.kill()
                    try await broker.restart()
                }
            }()
            // Four batches on their way at any time, begun in order.
            let deliveries = try await withThrowingTaskGroup(of: [Delivery].self) { group in
                var all: [Delivery] = []
                for start in stride(from: 0, to: total, by: 50) {
                    if start >= 200, let done = try await group.next() { all += done }
                    group.addTask {
                        let done = try await producer.send(batch: numbered(start..<start + 50, topic: topic))
                        sink.yield(acknowledged.add(50))
                        return done
                    }
                }
                for try await done in group { all += done }
                return all
            }
            try await crashes
            return deliveries
        }
        #expect(Set(deliveries.map(\.offset)).count == total)
        try await withConsumer(configuration(broker)) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            let numbers = try await consumer.read(total).compactMap(number)
            #expect(numbers.count == total)
            #expect(Set(numbers) == Set(0..<total), "each record once")
            // Batches may overtake one another, since their tasks race; no record overtakes one of its own batch.
            for (_, run) in Dictionary(grouping: numbers, by: { $0 / 50 }) { #expect(run == run.sorted()) }
            #expect(try await consumer.next(timeout: .milliseconds(300)).isEmpty, "and nothing more")
        }
    }

    @Test func clientsWaitForABrokerThatIsAwayAndGoOn() async throws {
        let broker = try await TestCluster.ownBroker()
        let topic = TestCluster.name("topic")
        try await withAdmin(configuration(broker)) { try await $0.createTopic(topic, partitions: 1) }
        let (troubles, sink) = AsyncStream.makeStream(of: KafkaError.self)
        var watched = configuration(broker)
        watched.observer.trouble = { sink.yield($0) }
        try await withProducer(watched) { producer in
            try await withConsumer(configuration(broker)) { consumer in
                try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
                _ = try await producer.send(batch: numbered(0..<5, topic: topic))
                #expect(try await consumer.read(5).compactMap(number) == Array(0..<5))
                try await broker.kill()
                async let sending = producer.send(batch: numbered(5..<10, topic: topic))
                async let reading = consumer.read(5)
                for await trouble in troubles {
                    #expect(trouble.isRetryable)
                    break
                }
                try await broker.restart()
                #expect(try await sending.map(\.offset) == Array(5..<10))
                #expect(try await reading.compactMap(number) == Array(5..<10))
            }
        }
    }

    @Test func closingIsQuickWhileTheBrokerIsAway() async throws {
        let broker = try await TestCluster.ownBroker()
        let topic = TestCluster.name("topic")
        try await withAdmin(configuration(broker)) { try await $0.createTopic(topic, partitions: 1) }
        let consumer = try KafkaConsumer(configuration(broker), groupID: "g", startAt: .earliest)
        try await consumer.subscribe([topic])
        #expect(try await consumer.event() == .assigned([KafkaPartition(topic, 0)]))
        let producer = try KafkaProducer(configuration(broker))
        _ = try await producer.send(batch: numbered(0..<5, topic: topic))
        try await broker.kill()
        async let sending = producer.deliver(batch: numbered(5..<10, topic: topic))
        let before = ContinuousClock.now
        await consumer.close()
        await producer.close(timeout: .milliseconds(200))
        #expect(ContinuousClock.now - before < .seconds(10))
        #expect(await sending.allSatisfy { $0.failure != nil })
    }

    @Test func aTopicThatIsDeletedIsAnErrorAndTheProducerServesItAgainWhenItIsBack() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration([
            "message.timeout.ms": "3000", "topic.metadata.refresh.interval.ms": "300", "topic.metadata.propagation.max.ms": "1000",
        ])
        try await withAdmin(configuration) { admin in
            var producer = try KafkaProducer(configuration)
            _ = try await producer.send(batch: numbered(0..<10, topic: topic))
            try await admin.deleteTopic(topic)
            var failure: KafkaError?
            while failure == nil {
                do { _ = try await producer.send(KafkaRecord(topic: topic, partition: 0, value: [1])) } catch {
                    failure = error as? KafkaError
                }
            }
            #expect(failure?.text.contains(topic) == true)
            #expect(failure.map { $0.isRetryable || $0.isFatal } == true, "\(String(describing: failure))")
            try await admin.createTopic(topic, partitions: 1)
            // As whoever publishes does: retry what may be retried, make a new producer after a fatal error.
            var delivery: Delivery?
            while delivery == nil {
                do { delivery = try await producer.send(KafkaRecord(topic: topic, partition: 0, value: [2])) } catch let error as KafkaError
                {
                    guard error.isFatal else {
                        #expect(error.isRetryable, "\(error)")
                        continue
                    }
                    await producer.close(timeout: .zero)
                    producer = try KafkaProducer(configuration)
                }
            }
            #expect(try await admin.describe(topic)?.partitions.first.map { $0.highOffset > 0 } == true)
            await producer.close()
        }
    }
}
