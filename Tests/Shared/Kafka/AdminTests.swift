import Kafka
import Testing

@Suite(.enabled(if: TestCluster.isReal, TestCluster.needsRealBroker), TestCluster.patience)
struct AdminTests {
    @Test func aTopicIsMadeOnceDescribedAndRemovedOnce() async throws {
        let topic = TestCluster.name("topic")
        let configuration = try await TestCluster.configuration()
        try await withAdmin(configuration) { admin in
            #expect(try await admin.describe(topic) == nil)
            #expect(try await admin.createTopic(topic, partitions: 2, replication: 1, config: ["retention.ms": "604800000"]))
            #expect(try await !admin.createTopic(topic, partitions: 2, replication: 1))
            #expect(try await !admin.createTopic(topic, partitions: 5), "another shape is no error; describe tells")
            _ = try await withProducer(configuration) { try await $0.send(batch: numbered(0..<3, topic: topic)) }
            let found = try #require(try await admin.describe(topic))
            #expect(found.partitions.map(\.id) == [0, 1])
            #expect(found.partitions.map(\.highOffset) == [3, 0])
            #expect(found.partitions.map(\.lowOffset) == [0, 0])
            #expect(found.partitions.allSatisfy { $0.replicas == 1 && $0.inSyncReplicas == 1 && $0.leader == 1 })
            #expect(try await admin.deleteTopic(topic))
            #expect(try await !admin.deleteTopic(topic))
        }
    }

    @Test func whatTheBrokerRefusesIsNamed() async throws {
        try await withAdmin(TestCluster.configuration()) { admin in
            let setting = await #expect(throws: KafkaError.self) {
                try await admin.createTopic(TestCluster.name("topic"), partitions: 1, config: ["retention.ms": "soon"])
            }
            #expect(setting?.text.contains("retention.ms") == true, "\(String(describing: setting))")
            let name = await #expect(throws: KafkaError.self) { try await admin.createTopic("no spaces", partitions: 1) }
            #expect(name?.code == .invalidTopic)
            let copies = await #expect(throws: KafkaError.self) { try await admin.createTopic("t", partitions: 1, replication: 9) }
            #expect(copies?.code == .invalidReplication)
            let none = await #expect(throws: KafkaError.self) { try await admin.createTopic("t", partitions: 0) }
            #expect(none?.text.contains("t") == true)
        }
    }

    @Test func brokersAreListed() async throws {
        let configuration = try await TestCluster.configuration()
        try await withAdmin(configuration) { admin in
            let addresses = try await admin.describeBrokers().map(\.address)
            #expect(addresses.contains(configuration.brokers))
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct AdminWithoutBrokerTests {
    @Test func aBrokerThatIsAwayIsATimeout() async throws {
        try await withAdmin(KafkaConfiguration(brokers: nowhere)) { admin in
            for call in [
                { _ = try await admin.createTopic("t", partitions: 1, timeout: .milliseconds(300)) },
                { _ = try await admin.describe("t", timeout: .milliseconds(300)) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: KafkaError.self) { try await call() }
                #expect(error?.isRetryable == true, "\(String(describing: error))")
            }
        }
    }

    @Test func aClosedAdminSaysSo() async throws {
        let admin = try KafkaAdmin(KafkaConfiguration(brokers: nowhere))
        await admin.close()
        let error = await #expect(throws: KafkaError.self) { try await admin.describe("t") }
        #expect(error?.code == .closed)
        await admin.close()
    }
}
