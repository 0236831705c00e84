import Kafka
import Testing

/// What is promised over crashes of the broker. One test after the other kills a broker that no other suite uses.
@Suite(.serialized, .enabled(if: TestCluster.hasLauncher, TestCluster.needsLauncher), TestCluster.patience)
struct FaultTests {
    private func configuration(_ broker: TestBroker, _ properties: [String: String] = [:]) -> KafkaConfiguration {
        KafkaConfiguration(brokers: broker.address, clientID: "tests", properties: properties)
    }

    @Test func everyRecordIsThereOnceAndInOrderOverCrashes() async throws {
        let broker = try await TestCluster.brokerToKill()
        let topic = TestCluster.name("topic")
        try await withAdmin(configuration(broker)) { try await $0.createTopic(topic, partitions: 1) }
        let total = 30_000
        // A short queue keeps the stream from being over before the broker is killed.
        let slow = configuration(broker, ["queue.buffering.max.messages": "100", "linger.ms": "5"])
        try await withProducer(slow) { producer in
            try await withConsumer(configuration(broker)) { consumer in
                try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
                let finished = Counter()
                let sending = Task {
                    let deliveries = try await producer.send(batch: numbered(0..<total, topic: topic))
                    _ = finished.add(1)
                    return deliveries
                }
                var numbers: [Int] = []
                var crashes = 0
                while numbers.count < total {
                    let some = try await consumer.next(timeout: .seconds(30))
                    if some.isEmpty { break }
                    numbers += some.compactMap(number)
                    if crashes < 2 && numbers.count > (crashes == 0 ? 1_000 : 8_000) {
                        crashes += 1
                        try await broker.kill()
                        #expect(finished.add(0) == 0, "the broker was killed too late to matter")
                        try await broker.restart()
                    }
                }
                #expect(numbers == Array(0..<total))
                #expect(try await consumer.next(timeout: .milliseconds(300)).isEmpty)
                #expect(try await sending.value.map(\.offset) == Array(0..<Int64(total)))
            }
        }
    }

    @Test func clientsWaitForABrokerThatIsAwayAndGoOn() async throws {
        let broker = try await TestCluster.brokerToKill()
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
        let broker = try await TestCluster.brokerToKill()
        let topic = TestCluster.name("topic")
        try await withAdmin(configuration(broker)) { try await $0.createTopic(topic, partitions: 1) }
        let consumer = try KafkaConsumer(configuration(broker), groupID: TestCluster.name("group"), startAt: .earliest)
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
