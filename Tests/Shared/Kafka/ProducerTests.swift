import Synchronization
import Testing
import Threads

@testable import Kafka

@Suite(TestCluster.patience) struct ProducerTests {
    @Test func aRecordComesBackAsItWasSent() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration()
        let sent = [
            KafkaRecord(
                topic: topic, partition: 0, key: Array("key".utf8), value: [0, 255, 0],
                headers: [KafkaHeader("b", "2"), KafkaHeader("a", [0xFF, 0]), KafkaHeader("b", "3"), KafkaHeader("empty", [])],
                timestampMilliseconds: 1_700_000_000_123),
            KafkaRecord(topic: topic, partition: 0, key: nil, value: nil),
            KafkaRecord(topic: topic, partition: 0, key: [], value: []),
        ]
        let deliveries = try await withProducer(configuration) { try await $0.send(batch: sent) }
        #expect(deliveries == (0..<3).map { Delivery(partition: 0, offset: $0) })
        let got = try await withConsumer(configuration) { consumer in
            try await consumer.assign([.beginning(KafkaPartition(topic, 0))])
            return try await consumer.read(3)
        }
        try #require(got.count == 3)
        #expect(got.map(\.offset) == [0, 1, 2])
        #expect(got[0].headers == sent[0].headers)
        #expect(got[0].header("b") == Array("3".utf8))
        #expect(got[0].timestampMilliseconds == 1_700_000_000_123)
        #expect(got.map(\.value) == [[0, 255, 0], nil, []])
        #expect(got.map(\.key) == [Array("key".utf8), nil, []])
        #expect(got.allSatisfy { $0.topic == topic && $0.partition == 0 })
    }

    @Test func theKeyChoosesThePartition() async throws {
        let topic = try await TestCluster.topic(partitions: 4)
        let records = (0..<40).map { KafkaRecord(topic: topic, key: [UInt8($0 % 10)], value: [1]) }
        let deliveries = try await withProducer(TestCluster.configuration()) { try await $0.send(batch: records) }
        for (record, delivery) in zip(records, deliveries) {
            let first = try #require(zip(records, deliveries).first { $0.0.key == record.key }?.1)
            #expect(delivery.partition == first.partition)
        }
        #expect(Set(deliveries.map(\.partition)).count > 1)
    }

    @Test func aBatchLargerThanTheQueueIsDeliveredInOrder() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration(["queue.buffering.max.messages": "10"])
        let deliveries = try await withProducer(configuration) { try await $0.send(batch: numbered(0..<500, topic: topic)) }
        #expect(deliveries.map(\.offset) == Array(0..<500))
    }

    @Test func manySendersShareASmallQueueAndEachKeepsItsOrder() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration(["queue.buffering.max.messages": "7"])
        try await withProducer(configuration) { producer in
            try await withThrowingTaskGroup(of: [Delivery].self) { group in
                for sender in 0..<20 {
                    group.addTask { try await producer.send(batch: numbered(sender * 25..<sender * 25 + 25, topic: topic)) }
                }
                var offsets: Set<Int64> = []
                for try await deliveries in group {
                    #expect(deliveries.map(\.offset) == deliveries.map(\.offset).sorted())
                    offsets.formUnion(deliveries.map(\.offset))
                }
                #expect(offsets == Set(0..<500))
            }
        }
    }

    @Test func aRecordThatIsTooLargeFailsAndThoseBehindItAreNotSent() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration(["message.max.bytes": "2000"])
        let batch = [10, 5_000, 10].map { KafkaRecord(topic: topic, partition: 0, value: Array(repeating: 1, count: $0)) }
        try await withProducer(configuration) { producer in
            let results = await producer.deliver(batch: batch)
            try #require(results.count == 3)
            #expect(try results[0].get() == Delivery(partition: 0, offset: 0))
            #expect(results[1].failure?.code == .messageTooLarge)
            #expect(results[1].failure?.text.contains(topic) == true)
            #expect(results[2].failure?.code == .skipped)
            await #expect(throws: KafkaError.self) { try await producer.send(batch: batch) }
            #expect(try await producer.send(batch[2]).offset == 2)
        }
    }

    @Test func namesThatCCannotCarryAreRefused() async throws {
        try await withProducer(KafkaConfiguration(brokers: nowhere)) { producer in
            let error = await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: "a\0b")) }
            #expect(error?.code == .misuse)
            await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: "t", headers: [KafkaHeader("a\0", "")])) }
            await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: "")) }
        }
    }

    @Test func anEmptyBatchIsSentAtOnce() async throws {
        let deliveries = try await withProducer(KafkaConfiguration(brokers: nowhere)) { try await $0.send(batch: []) }
        #expect(deliveries.isEmpty)
    }

    @Test func aTimeoutSaysWhatTheTroubleIs() async throws {
        let configuration = KafkaConfiguration(brokers: nowhere, properties: ["message.timeout.ms": "700"])
        try await withProducer(configuration) { producer in
            let error = await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: "t", value: [1])) }
            #expect(error?.code == .messageTimedOut)
            #expect(error?.isRetryable == true)
            #expect(error?.isFatal == false)
            #expect(
                error?.text.contains("127.0.0.1:1") == true || error?.text.contains("brokers are down") == true,
                "\(String(describing: error))")
        }
    }

    @Test func flushReportsThatItDidNotFinish() async throws {
        try await withProducer(KafkaConfiguration(brokers: nowhere)) { producer in
            try await producer.flush(timeout: .seconds(1))
            async let sending = producer.deliver(batch: [KafkaRecord(topic: "t", value: [1])])
            // The record may not be queued yet; then there is nothing to flush, and we ask again.
            var code: KafkaError.Code?
            while code == nil {
                do { try await producer.flush(timeout: .milliseconds(20)) } catch { code = (error as? KafkaError)?.code }
            }
            #expect(code == .timedOut)
            await producer.close(timeout: .zero)
            #expect(await sending.first?.failure != nil)
        }
    }

    @Test func closeAnswersEverySendAndFreesWhatTheyHeld() async throws {
        let core = try ProducerCore(KafkaConfiguration(brokers: nowhere, properties: ["queue.buffering.max.messages": "50"]))
        weak var ticket: BatchTicket?
        do {
            let batch = BatchTicket(count: 20)
            ticket = batch
            var next = 0
            guard case .all = core.enqueue(numbered(0..<20, topic: "t"), from: &next, batch, holdsTurn: false) else {
                Issue.record("the queue has room")
                return
            }
            await core.close(.zero)
            let results = await batch.results()
            #expect(results.count == 20)
            #expect(results.allSatisfy { $0.failure?.code == .purgedQueued || $0.failure?.code == .purgedInFlight })
            #expect(!rest(core, batch))
        }
        #expect(ticket == nil, "a delivery report was not given for each record")
    }

    private func rest(_ core: ProducerCore, _ ticket: BatchTicket) -> Bool {
        var next = 0
        if case .failed(let error) = core.enqueue(numbered(0..<1, topic: "t"), from: &next, ticket, holdsTurn: false) {
            return error.code != .closed
        }
        return true
    }

    @Test func closeAnswersThoseWhoWaitForRoomToo() async throws {
        let producer = try KafkaProducer(KafkaConfiguration(brokers: nowhere, properties: ["queue.buffering.max.messages": "5"]))
        let senders = (0..<10).map { sender in
            Task { await producer.deliver(batch: numbered(sender * 4..<sender * 4 + 4, topic: "t")) }
        }
        // Everything has begun once the queue is full: a batch of four can't then go in at once.
        await filled(producer)
        async let first: Void = producer.close(timeout: .milliseconds(50))
        async let second: Void = producer.close(timeout: .milliseconds(50))
        _ = await (first, second)
        for sender in senders {
            let results = await sender.value
            #expect(results.count == 4)
            #expect(results.allSatisfy { $0.failure != nil })
        }
        let late = await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: "t")) }
        #expect(late?.code == .closed)
        await #expect(throws: KafkaError.self) { try await producer.flush(timeout: .seconds(1)) }
        await producer.close()
    }

    /// Waits until a flush finds records in the queue.
    private func filled(_ producer: KafkaProducer) async {
        while (try? await producer.flush(timeout: .milliseconds(10))) != nil {}
    }

    @Test func cancellingEndsTheWaitForRoomOnly() async throws {
        let producer = try KafkaProducer(KafkaConfiguration(brokers: nowhere, properties: ["queue.buffering.max.messages": "5"]))
        let holder = Task { await producer.deliver(batch: numbered(0..<5, topic: "t")) }
        await filled(producer)
        let waiting = Task { await producer.deliver(batch: numbered(5..<7, topic: "t")) }
        waiting.cancel()
        let results = await waiting.value
        // Nothing of it was in the queue, so it has its answer while the five are still on their way.
        #expect(results.map { $0.failure?.code } == [.cancelled, .skipped])
        await producer.close(timeout: .zero)
        #expect(await holder.value.allSatisfy { $0.failure?.code == .purgedQueued || $0.failure?.code == .purgedInFlight })
    }

    @Test func aProducerThatIsDroppedEndsItsThread() async throws {
        weak var core: ProducerCore?
        do {
            let inner = try ProducerCore(KafkaConfiguration(brokers: nowhere))
            core = inner
            inner.abandon()
            // The thread's end is what close waits for.
            await inner.close(.zero)
        }
        // The thread lets go of it just after it said so.
        while core != nil { await Task.yield() }
    }

    @Test func aFatalErrorIsTypedAndStaysUntilANewProducerIsMade() async throws {
        let topic = try await TestCluster.topic()
        let configuration = try await TestCluster.configuration()
        let producer = try KafkaProducer(configuration)
        _ = try await producer.send(KafkaRecord(topic: topic, partition: 0, value: [1]))
        #expect(producer.fatalError == nil)
        producer.raiseFatalError(.outOfOrderSequence, "made by a test")
        let error = await #expect(throws: KafkaError.self) { try await producer.send(KafkaRecord(topic: topic, partition: 0, value: [2])) }
        #expect(error?.isFatal == true)
        #expect(error?.isRetryable == false)
        #expect(error?.text.contains("made by a test") == true, "\(String(describing: error))")
        while producer.fatalError == nil { await Task.yield() }
        #expect(producer.fatalError?.code == .outOfOrderSequence)
        await producer.close()
        #expect(
            try await withProducer(configuration) { try await $0.send(KafkaRecord(topic: topic, partition: 0, value: [2])) }.offset == 1)
    }

    @Test func logLinesAndTroubleGoToTheObserver() async throws {
        let (lines, sink) = AsyncStream.makeStream(of: KafkaLogLine.self)
        let (troubles, troubleSink) = AsyncStream.makeStream(of: KafkaError.self)
        let observer = KafkaObserver(log: { sink.yield($0) }, trouble: { troubleSink.yield($0) })
        try await withProducer(KafkaConfiguration(brokers: nowhere, observer: observer)) { _ in
            for await line in lines where line.facility == "FAIL" {
                #expect(line.text.contains("127.0.0.1:1"))
                break
            }
            for await trouble in troubles {
                #expect([.transport, .allBrokersDown].contains(trouble.code), "\(trouble)")
                #expect(trouble.isRetryable)
                break
            }
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
