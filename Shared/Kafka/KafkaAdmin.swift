internal import Threads

/// Makes, removes and describes topics. Calls wait on a thread of the admin's own, one after the other.
public final class KafkaAdmin: Sendable {
    private let core: AdminCore
    private let executor: ThreadExecutor

    /// Makes an admin; it connects by itself in the background.
    /// - Throws: an error that names the property when one is not accepted.
    public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        executor = ThreadExecutor(name: "kafka-admin")
        do {
            core = try AdminCore(configuration, executor)
        } catch {
            executor.stop()
            throw error
        }
    }

    deinit { executor.stop() }

    /// Makes a topic unless it is there, and returns when a broker knows it and who leads its partitions; in a cluster
    /// of many, others may take a moment more. One that is there is left as it is; ``describe(_:timeout:)`` tells its shape.
    /// - Parameters:
    ///   - partitions: at least 1.
    ///   - replication: copies of each partition; nil for the cluster's default.
    ///   - config: topic settings, such as `retention.ms`.
    /// - Returns: whether this call made it.
    @discardableResult
    public func createTopic(
        _ name: String, partitions: Int32, replication: Int32? = nil, config: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaError) -> Bool {
        try await core.createTopic(name, partitions, replication ?? -1, config, timeout)
    }

    /// Removes a topic and its records.
    /// - Returns: whether this call did; false when there is no such topic.
    @discardableResult
    public func deleteTopic(_ name: String, timeout: Duration = .seconds(30)) async throws(KafkaError) -> Bool {
        try await core.deleteTopic(name, timeout)
    }

    /// A topic's partitions and how far they reach; nil when there is no such topic. Never makes one.
    public func describe(_ topic: String, timeout: Duration = .seconds(30)) async throws(KafkaError) -> KafkaTopic? {
        try await core.describe(topic, timeout)
    }

    /// The brokers that are in the cluster now.
    public func describeBrokers(timeout: Duration = .seconds(30)) async throws(KafkaError) -> [KafkaBroker] {
        try await core.describeBrokers(timeout)
    }

    /// Frees the client. Later calls throw ``KafkaError/Code/closed``.
    public func close() async {
        await core.close()
        executor.stop()
    }
}
