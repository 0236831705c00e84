internal import CKafka
internal import Threads

/// The admin's insides, on a thread of its own, where every call may wait.
actor AdminCore {
    private nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var handle: ClientHandle?

    init(_ configuration: KafkaConfiguration, _ executor: ThreadExecutor) throws(KafkaError) {
        self.executor = executor
        handle = try ClientHandle(
            // A question must not make the topic that it asks for.
            RD_KAFKA_PRODUCER, configuration, defaults: [:], promises: ["allow.auto.create.topics": "false"], events: 0)
    }

    func close() {
        handle?.destroy()
        handle = nil
    }

    private func open() throws(KafkaError) -> ClientHandle {
        guard let handle else { throw .closed("admin") }
        return handle
    }

    // MARK: Topics

    func createTopic(
        _ name: String, _ partitions: Int32, _ replication: Int32, _ config: [String: String], _ timeout: Duration
    ) throws(KafkaError) -> Bool {
        var text = [CChar](repeating: 0, count: 512)
        guard let topic = rd_kafka_NewTopic_new(name, partitions, replication, &text, text.count) else {
            throw .misuse("topic \(name): \(string(text))")
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in config.sorted(by: { $0.key < $1.key }) {
            try KafkaError.check(rd_kafka_NewTopic_set_config(topic, key, value), "topic \(name), setting \(key)")
        }
        let deadline = ContinuousClock.now + timeout
        let made = try change(RD_KAFKA_ADMIN_OP_CREATETOPICS, "create topic \(name)", timeout, unless: .topicExists) {
            client, options, queue in
            var topics: [OpaquePointer?] = [topic]
            rd_kafka_CreateTopics(client, &topics, 1, options, queue)
        } results: { event, count in
            rd_kafka_event_CreateTopics_result(event).flatMap { rd_kafka_CreateTopics_result_topics($0, &count) }
        }
        if made { try awaitLeaders(of: name, partitions, until: deadline) }
        return made
    }

    /// The controller answers once the topic is made; the brokers that clients ask learn of it a little later.
    private func awaitLeaders(of topic: String, _ partitions: Int32, until deadline: ContinuousClock.Instant) throws(KafkaError) {
        var pause = Duration.milliseconds(5)
        while true {
            let left = deadline - .now
            guard left > .zero else {
                throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, "topic \(topic) was made, but its partitions have no leaders yet")
            }
            let led = try metadata(left) { metadata in
                (0..<Int(metadata.topic_cnt)).map { metadata.topics[$0] }
                    .first { String(cString: $0.topic) == topic }
                    .map { entry in (0..<Int(entry.partition_cnt)).count { entry.partitions[$0].leader >= 0 } } ?? 0
            }
            // −1 stands for as many as the cluster's default says.
            if led >= max(1, partitions) { return }
            // A signal that nobody raises.
            _ = ThreadSignal().wait(atMost: min(pause, left))
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    func deleteTopic(_ name: String, _ timeout: Duration) throws(KafkaError) -> Bool {
        guard let topic = rd_kafka_DeleteTopic_new(name) else { throw .misuse("topic \(name)") }
        defer { rd_kafka_DeleteTopic_destroy(topic) }
        return try change(RD_KAFKA_ADMIN_OP_DELETETOPICS, "delete topic \(name)", timeout, unless: .unknownTopicOrPartition) {
            client, options, queue in
            var topics: [OpaquePointer?] = [topic]
            rd_kafka_DeleteTopics(client, &topics, 1, options, queue)
        } results: { event, count in
            rd_kafka_event_DeleteTopics_result(event).flatMap { rd_kafka_DeleteTopics_result_topics($0, &count) }
        }
    }

    private typealias Results = UnsafeMutablePointer<OpaquePointer?>

    /// Asks for a change and waits for its outcome.
    /// - Returns: false when the broker answers with `known`, which says that nothing had to be done.
    private func change(
        _ operation: rd_kafka_admin_op_t, _ what: String, _ timeout: Duration, unless known: KafkaError.Code,
        _ ask: (_ client: OpaquePointer, _ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
        results: (_ event: OpaquePointer, _ count: inout Int) -> Results?
    ) throws(KafkaError) -> Bool {
        let client = try open().client
        guard let options = rd_kafka_AdminOptions_new(client, operation), let queue = rd_kafka_queue_new(client) else {
            throw .misuse(what)
        }
        defer {
            rd_kafka_queue_destroy(queue)
            rd_kafka_AdminOptions_destroy(options)
        }
        let milliseconds = timeout.wholeMilliseconds
        var text = [CChar](repeating: 0, count: 512)
        try KafkaError.check(rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &text, text.count), what)
        // Without this the broker answers before the change is made.
        try KafkaError.check(rd_kafka_AdminOptions_set_operation_timeout(options, milliseconds, &text, text.count), what)
        ask(client, options, queue)
        // librdkafka itself answers when the request's time is up, so this need not be exact.
        guard let event = rd_kafka_queue_poll(queue, milliseconds &+ 5_000) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, what)
        }
        defer { rd_kafka_event_destroy(event) }
        if case let code = rd_kafka_event_error(event), code != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(code, what, text: rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        var count = 0
        guard let list = results(event, &count), count == 1, let result = list[0] else {
            throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, what)
        }
        let code = rd_kafka_topic_result_error(result)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return true }
        if code.rawValue == known.rawValue { return false }
        throw KafkaError(code, what, text: rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
    }

    // MARK: Descriptions

    func describe(_ topic: String, _ timeout: Duration) throws(KafkaError) -> KafkaTopic? {
        let client = try open().client
        // All topics are asked for, because a question for one may make it on a broker that makes topics on sight.
        let found = try metadata(timeout) { metadata throws(KafkaError) -> KafkaTopic? in
            for index in 0..<Int(metadata.topic_cnt) where String(cString: metadata.topics[index].topic) == topic {
                let entry = metadata.topics[index]
                try KafkaError.check(entry.err, "topic \(topic)")
                return KafkaTopic(
                    name: topic,
                    partitions: (0..<Int(entry.partition_cnt)).map { Self.partition(entry.partitions[$0]) }.sorted { $0.id < $1.id })
            }
            return nil
        }
        guard var found else { return nil }
        for index in found.partitions.indices {
            let id = found.partitions[index].id
            var low: Int64 = 0
            var high: Int64 = 0
            try KafkaError.check(
                rd_kafka_query_watermark_offsets(client, topic, id, &low, &high, timeout.wholeMilliseconds),
                "offsets of \(topic)[\(id)]")
            found.partitions[index].lowOffset = low
            found.partitions[index].highOffset = high
        }
        return found
    }

    func describeBrokers(_ timeout: Duration) throws(KafkaError) -> [KafkaBroker] {
        try metadata(timeout) { metadata throws(KafkaError) in
            (0..<Int(metadata.broker_cnt)).map { index in
                let broker = metadata.brokers[index]
                return KafkaBroker(id: broker.id, address: "\(String(cString: broker.host)):\(broker.port)")
            }
        }
    }

    private static func partition(_ entry: rd_kafka_metadata_partition) -> KafkaTopic.Partition {
        KafkaTopic.Partition(
            id: entry.id, leader: entry.leader, replicas: Int(entry.replica_cnt), inSyncReplicas: Int(entry.isr_cnt),
            lowOffset: 0, highOffset: 0)
    }

    private func metadata<Result>(
        _ timeout: Duration, _ body: (rd_kafka_metadata) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        var pointer: UnsafePointer<rd_kafka_metadata>?
        try KafkaError.check(rd_kafka_metadata(open().client, 1, nil, &pointer, timeout.wholeMilliseconds), "cluster metadata")
        guard let pointer else { throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, "cluster metadata") }
        defer { rd_kafka_metadata_destroy(pointer) }
        return try body(pointer.pointee)
    }
}
