import Kafka
import Testing

@Suite(TestCluster.patience) struct ConsumerTests {
    /// A topic with numbered records in partition 0.
    private func filledTopic(_ count: Int, partitions: Int32 = 1) async throws -> String {
        let topic = try await TestCluster.topic(partitions: partitions)
        _ = try await withProducer(TestCluster.configuration()) { try await $0.send(batch: numbered(0..<count, topic: topic)) }
        return topic
    }

    @Test func readingStartsAtAStoredPosition() async throws {
        let topic = try await filledTopic(50)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([KafkaPosition(topic, 0, offset: 20)])
            #expect(try await consumer.assignment() == [KafkaPartition(topic, 0)])
            let records = try await consumer.read(30)
            #expect(records.compactMap(number) == Array(20..<50))
            #expect(try await consumer.position([KafkaPartition(topic, 0)]) == [KafkaPosition(topic, 0, offset: 50)])
        }
    }

    @Test func seekingGoesBackAndForth() async throws {
        let topic = try await filledTopic(50)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            #expect(try await consumer.read(10).compactMap(number) == Array(0..<10))
            for start in [40, 3, 49, 0] {
                try await consumer.seek(KafkaPosition(topic, 0, offset: Int64(start)))
                let count = min(5, 50 - start)
                #expect(try await consumer.read(count).compactMap(number) == Array(start..<start + count))
            }
        }
    }

    @Test func noMoreThanAskedForIsTaken() async throws {
        let topic = try await filledTopic(50)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            var all: [Int] = []
            while all.count < 50 {
                let some = try await consumer.next(max: 7, timeout: .seconds(20))
                #expect((1...7).contains(some.count))
                if some.isEmpty { break }
                all += some.compactMap(number)
            }
            #expect(all == Array(0..<50))
            #expect(try await consumer.next(max: 0, timeout: .milliseconds(10)).isEmpty)
        }
    }

    @Test func theFirstRecordIsNotHeldBackForMore() async throws {
        let topic = try await filledTopic(1)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            let before = ContinuousClock.now
            let records = try await consumer.next(max: 1_000, timeout: .seconds(60))
            #expect(records.count == 1)
            #expect(ContinuousClock.now - before < .seconds(30))
        }
    }

    @Test func aTimeoutWithoutRecordsIsEmpty() async throws {
        let topic = try await filledTopic(1)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.end(KafkaPartition(topic, 0))])
            let before = ContinuousClock.now
            #expect(try await consumer.next(timeout: .milliseconds(100)).isEmpty)
            #expect(ContinuousClock.now - before >= .milliseconds(99))
            #expect(try await consumer.nextEvent(timeout: .zero) == nil)
        }
    }

    @Test func nothingComesWhilePausedAndNothingIsLostOrRepeated() async throws {
        let topic = try await filledTopic(30)
        let partition = KafkaPartition(topic, 0)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(partition)])
            var got = try await consumer.read(5).compactMap(number)
            try await consumer.pause([partition])
            #expect(try await consumer.next(timeout: .milliseconds(300)).isEmpty)
            try await consumer.resume([partition])
            got += try await consumer.read(25).compactMap(number)
            #expect(got == Array(0..<30))
        }
    }

    @Test func cancellingEndsAWaitAndLosesNothing() async throws {
        let topic = try await filledTopic(10)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            #expect(try await consumer.read(4).compactMap(number) == Array(0..<4))
            try await consumer.pause([KafkaPartition(topic, 0)])
            let waiting = Task { try await consumer.next() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await consumer.resume([KafkaPartition(topic, 0)])
            #expect(try await consumer.read(6).compactMap(number) == Array(4..<10))
        }
    }

    @Test func cancellingAtAnyMomentLosesNothing() async throws {
        let topic = try await filledTopic(200)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            var got: [Int] = []
            var round = 0
            while got.count < 200 {
                round += 1
                let reading = Task { try await consumer.next(max: 3) }
                for _ in 0..<(round * 37 % 400) { await Task.yield() }
                reading.cancel()
                if case .success(let records) = await reading.result { got += records.compactMap(number) }
            }
            #expect(got == Array(0..<200))
        }
    }

    @Test func aSecondReaderIsRefused() async throws {
        let topic = try await filledTopic(1)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.end(KafkaPartition(topic, 0))])
            let results = await withTaskGroup(of: Result<[KafkaRecord], any Error>.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        do { return .success(try await consumer.next(timeout: .milliseconds(700))) } catch { return .failure(error) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.compactMap { ($0.failure as? KafkaError)?.code } == [.busy])
        }
    }

    @Test func otherCallsInterruptAWaitingReadButDoNotEndIt() async throws {
        let topic = try await filledTopic(3)
        try await withConsumer(TestCluster.configuration()) { consumer in
            try await consumer.assign([.end(KafkaPartition(topic, 0))])
            let reading = Task { try await consumer.next(max: 3) }
            // Were a waiting read to hold the consumer's thread, this would last for ever.
            for _ in 0..<20 { _ = try await consumer.assignment() }
            // A seek can be made once the partition is being fetched.
            while true {
                do {
                    try await consumer.seek(KafkaPosition(topic, 0, offset: 1))
                    break
                } catch let error as KafkaError where error.code == .state { await Task.yield() }
            }
            #expect(try await reading.value.compactMap(number).first == 1)
        }
    }

    @Test func closingEndsAWaitingReadAndLaterCalls() async throws {
        let topic = try await filledTopic(1)
        let consumer = try await KafkaConsumer(TestCluster.configuration(), groupID: nil, startAt: .latest)
        try await consumer.assign([.end(KafkaPartition(topic, 0))])
        let reading = Task { try await consumer.next() }
        await consumer.close()
        let error = await #expect(throws: KafkaError.self) { try await reading.value }
        #expect(error?.code == .closed)
        await #expect(throws: KafkaError.self) { try await consumer.next() }
        await #expect(throws: KafkaError.self) { try await consumer.assign([]) }
        await consumer.close()
    }

    @Test func whatNeedsAGroupIsRefusedWithoutOne() async throws {
        try await withConsumer(KafkaConfiguration(brokers: nowhere)) { consumer in
            let partition = KafkaPartition("t", 0)
            for call in [
                { try await consumer.subscribe(["t"]) }, { try await consumer.commit([KafkaPosition(partition, offset: 1)]) },
                { _ = try await consumer.committed([partition]) }, { try await consumer.assign([.committed(partition)]) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: KafkaError.self) { try await call() }
                #expect(error?.code == .misuse)
            }
        }
    }

    @Test func aGroupRemembersWhatWasCommitted() async throws {
        let topic = try await filledTopic(10)
        let partition = KafkaPartition(topic, 0)
        let group = TestCluster.name("group")
        try await withConsumer(TestCluster.configuration(), group: group) { consumer in
            try await consumer.assign([.beginning(partition)])
            #expect(try await consumer.committed([partition]) == [])
            #expect(try await consumer.read(4).count == 4)
            try await consumer.commit([KafkaPosition(partition, offset: 4)])
            #expect(try await consumer.committed([partition]) == [KafkaPosition(partition, offset: 4)])
        }
        try await withConsumer(TestCluster.configuration(), group: group) { consumer in
            try await consumer.assign([.committed(partition)])
            #expect(try await consumer.read(6).compactMap(number) == Array(4..<10))
        }
    }

    @Test(.enabled(if: TestCluster.isReal, TestCluster.needsRealBroker))
    func aPositionThatNoLongerExistsIsAnErrorWhenAskedSo() async throws {
        let topic = try await filledTopic(5)
        try await withConsumer(TestCluster.configuration(), startAt: .fail) { consumer in
            try await consumer.assign([KafkaPosition(topic, 0, offset: 900)])
            let error = await #expect(throws: KafkaError.self) { try await consumer.next(timeout: .seconds(20)) }
            #expect(error?.code == .offsetReset)
            #expect(error?.text.contains(topic) == true)
            // The reader may mend it.
            try await consumer.assign([KafkaPosition(topic, 0, offset: 3)])
            #expect(try await consumer.read(2).compactMap(number) == [3, 4])
        }
    }

    @Test(.enabled(if: TestCluster.isReal, TestCluster.needsRealBroker))
    func readingATopicThatIsNotThereIsAnError() async throws {
        // For that long librdkafka takes it to be a topic that the brokers are only about to learn of.
        let configuration = try await TestCluster.configuration(["topic.metadata.propagation.max.ms": "300"])
        try await withConsumer(configuration) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(TestCluster.name("absent"), 0))])
            let error = await #expect(throws: KafkaError.self) { try await consumer.next(timeout: .seconds(20)) }
            #expect([.unknownTopicOrPartition, .unknownPartition, .unknownTopicLocally].contains(error?.code))
        }
    }
}
