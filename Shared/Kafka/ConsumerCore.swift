internal import CKafka
internal import Threads

/// The consumer's insides, on a thread of its own: every call into librdkafka, the ones that wait included, is made there.
actor ConsumerCore {
    enum Outcome: Sendable {
        case event(KafkaConsumerEvent)
        case timedOut, interrupted
    }

    /// A change of the assignment that the reader was told of and has not accepted yet.
    private enum Pending {
        case assign([KafkaPosition], incremental: Bool)
        case revoke([KafkaPosition], incremental: Bool)
    }

    nonisolated let signal: ConsumerSignal
    private nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var handle: ClientHandle?
    private var pending: Pending?
    /// What came behind the records of the last answer, for the next one.
    private var held: Result<KafkaConsumerEvent, KafkaError>?
    /// Whether the reader has yet to accept a change.
    var hasPending: Bool { pending != nil }
    private let hasGroup: Bool
    var subscription: [String] = []
    var absent: AbsentTopics
    private let observer: KafkaObserver

    init(
        _ configuration: KafkaConfiguration, groupID: String?, startAt: KafkaConsumer.Start, _ executor: ThreadExecutor
    ) throws(KafkaError) {
        guard groupID != "" else { throw .property(.configuration, "group.id", "is empty") }
        let handle = try ClientHandle(
            RD_KAFKA_CONSUMER, configuration,
            // A broker answers a fetch as soon as it has a record; this is how long it may hold an empty one, and thus
            // how late a seek or a new assignment takes effect.
            // Topics and partitions that are new to a subscription are found at the metadata's refresh.
            defaults: [
                "fetch.wait.max.ms": "20", "fetch.error.backoff.ms": "100", "session.timeout.ms": "10000",
                "topic.metadata.refresh.interval.ms": "10000",
            ],
            promises: [
                // librdkafka wants a name even for a reader on its own; it stays a name as long as nobody commits.
                "group.id": groupID ?? "\(configuration.clientID).alone", "auto.offset.reset": startAt.rawValue,
                "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "false",
            ],
            events: Int32(
                RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_STATS))
        signal = ConsumerSignal()
        signal.connect(handle)
        hasGroup = groupID != nil
        let patience = configuration.properties["topic.metadata.propagation.max.ms"].flatMap { Int($0) } ?? 30_000
        absent = AbsentTopics(patience: .milliseconds(patience))
        observer = configuration.observer
        self.executor = executor
        self.handle = handle
    }

    /// Runs a call that ``ConsumerSignal/interrupt()`` announced.
    func serve<Result: Sendable>(
        _ body: @Sendable (isolated ConsumerCore) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        signal.served()
        return try body(self)
    }

    func close() {
        signal.served()
        guard let handle else { return }
        self.handle = nil
        // Accept what the reader left open: librdkafka waits for that before it lets the group go.
        if pending != nil { rd_kafka_assign(handle.client, nil) }
        pending = nil
        // Nobody may wake the queue once it is freed.
        signal.disconnect()
        if !handle.closeConsumer(within: Self.longestClose) {
            observer.trouble(
                KafkaError(.timedOut, name: "CLOSE", text: "the consumer did not close within \(Self.longestClose) and is left behind"))
        }
    }

    /// Leaving a group takes a broker's answer; more than this is one that never comes.
    private static let longestClose = Duration.seconds(5)

    // MARK: Reading

    func poll(max: Int, until deadline: ContinuousClock.Instant?, _ stop: StopFlag) throws(KafkaError) -> Outcome {
        let handle = try open()
        if stop.isSet || signal.isInterrupted { return .interrupted }
        try acceptPending()
        if let held {
            self.held = nil
            return .event(try held.get())
        }
        var records: [KafkaRecord] = []
        while records.count < Swift.max(1, max) {
            if records.isEmpty { try askForAbsentTopics(handle.client) }
            // Wait for the first record only, then take what is there: waiting for a full batch would cost its latency.
            guard let event = rd_kafka_queue_poll(handle.queue, records.isEmpty ? milliseconds(until: deadline) : 0) else {
                if !records.isEmpty { break }
                if stop.isSet || signal.isInterrupted { return .interrupted }
                if let deadline, deadline <= .now { return .timedOut }
                continue
            }
            defer { rd_kafka_event_destroy(event) }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH {
                if let message = rd_kafka_event_message_next(event) { records.append(KafkaRecord(message)) }
                continue
            }
            switch take(event, handle.client) {
            case let other?:
                if records.isEmpty { return .event(try other.get()) }
                held = other
                return .event(.records(records))
            case nil: continue
            }
        }
        return .event(.records(records))
    }

    private func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let next = [deadline, absent.nextAsk].compactMap({ $0 }).min() else { return 60_000 }
        return min(60_000, (next - .now).wholeMilliseconds)
    }

    /// What an event other than a record means to the reader; nil when nothing.
    private func take(_ event: OpaquePointer, _ client: OpaquePointer) -> Result<KafkaConsumerEvent, KafkaError>? {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE: return rebalance(event, client)
        case RD_KAFKA_EVENT_ERROR:
            let error = KafkaError(event: event, client: client)
            if !subscription.isEmpty, KafkaError.Code.topicOnItsWay.contains(error.code), !error.isFatal {
                // librdkafka doesn't say which in a form to rely on; those that are there are found to be at once. A name
                // that begins with ^ is a pattern, which may well match nothing.
                absent.add(subscription.filter { !$0.hasPrefix("^") }, now: .now)
                observer.trouble(error)
                return nil
            }
            guard KafkaError.Code.selfMending.contains(error.code), !error.isFatal else { return .failure(error) }
            observer.trouble(error)
            return nil
        case RD_KAFKA_EVENT_STATS:
            guard let text = rd_kafka_event_stats(event),
                let statistics = KafkaStatistics(json: Array(String(cString: text).utf8))
            else { return nil }
            signal.statistics = statistics
            observer.statistics(statistics)
            return nil
        default: return nil
        }
    }

    // MARK: Changes of the assignment

    private func rebalance(_ event: OpaquePointer, _ client: OpaquePointer) -> Result<KafkaConsumerEvent, KafkaError>? {
        let incremental = rd_kafka_rebalance_protocol(client).map { String(cString: $0) } == "COOPERATIVE"
        let places = rd_kafka_event_topic_partition_list(event).flatMap { try? positions($0) } ?? []
        let partitions = places.map(\.partition)
        let change: KafkaConsumerEvent
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            pending = .assign(places, incremental: incremental)
            change = .assigned(partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            pending = .revoke(places, incremental: incremental)
            change = .revoked(partitions, lost: rd_kafka_assignment_lost(client) == 1)
        case let code:
            // librdkafka's advice for anything else: have no partitions, and wait for the next round.
            pending = .revoke(places, incremental: false)
            return .failure(KafkaError(code, "rebalance"))
        }
        guard partitions.isEmpty else { return .success(change) }
        // The group moved and nothing changed here: that concerns librdkafka, which wants its answer, but not the reader.
        do { try acceptPending() } catch { return .failure(error) }
        return nil
    }

    private func acceptPending() throws(KafkaError) {
        guard let pending, let handle else { return }
        // A held event is newer than the records before it, but not yet told, so it can't be accepted.
        guard held == nil else { return }
        self.pending = nil
        switch pending {
        case .assign(let places, let incremental):
            try withList(places) { list throws(KafkaError) in
                if incremental {
                    try KafkaError.check(rd_kafka_incremental_assign(handle.client, list), "assign")
                } else {
                    try KafkaError.check(rd_kafka_assign(handle.client, list), "assign")
                }
            }
        case .revoke(let places, let incremental):
            try withList(places) { list throws(KafkaError) in
                if incremental {
                    try KafkaError.check(rd_kafka_incremental_unassign(handle.client, list), "revoke")
                } else {
                    try KafkaError.check(rd_kafka_assign(handle.client, nil), "revoke")
                }
            }
        }
    }

    private func open() throws(KafkaError) -> ClientHandle {
        guard let handle else { throw .closed("consumer") }
        return handle
    }

    // MARK: Calls

    func subscribe(_ topics: [String]) throws(KafkaError) {
        guard hasGroup else { throw .misuse("a subscription needs a group; give the consumer one, or assign partitions") }
        let client = try open().client
        let before = subscription
        subscription = topics
        absent.removeAll()
        do { try resubscribe(client) } catch {
            subscription = before
            throw error
        }
    }

    func assign(_ places: [KafkaPosition]) throws(KafkaError) {
        let client = try open().client
        for place in places where place.offset == KafkaPosition.unset && !hasGroup {
            throw .misuse("\(place.partition): a committed offset needs a group")
        }
        held = nil
        pending = nil
        subscription = []
        absent.removeAll()
        try withList(places) { list throws(KafkaError) in try KafkaError.check(rd_kafka_assign(client, list), "assign") }
    }

    func assignment() throws(KafkaError) -> [KafkaPartition] {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        try KafkaError.check(rd_kafka_assignment(open().client, &list), "assignment")
        guard let list else { return [] }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        return try positions(list, "assignment").map(\.partition)
    }

    func seek(_ place: KafkaPosition) throws(KafkaError) {
        let client = try open().client
        if case .assign(var places, let incremental) = pending,
            let index = places.firstIndex(where: { $0.partition == place.partition })
        {
            places[index] = place
            pending = .assign(places, incremental: incremental)
            return
        }
        // Asked again where the answer does not come: to seek twice is to seek once.
        for attempt in 1...3 {
            do throws(KafkaError) {
                return try withList([place]) { list throws(KafkaError) in
                    try KafkaError.check(rd_kafka_seek_partitions(client, list, 10_000), "seek to \(place)")
                    _ = try positions(list, "seek to")
                }
            } catch { if attempt == 3 || error.code != .timedOut { throw error } }
        }
    }

    func setPaused(_ paused: Bool, _ partitions: [KafkaPartition]) throws(KafkaError) {
        let client = try open().client
        let what = paused ? "pause" : "resume"
        try withList(partitions.map(KafkaPosition.committed)) { list throws(KafkaError) in
            try KafkaError.check(
                paused ? rd_kafka_pause_partitions(client, list) : rd_kafka_resume_partitions(client, list), what)
            _ = try positions(list, what)
        }
    }

    func position(_ partitions: [KafkaPartition]) throws(KafkaError) -> [KafkaPosition] {
        let client = try open().client
        return try withList(partitions.map(KafkaPosition.committed)) { list throws(KafkaError) in
            try KafkaError.check(rd_kafka_position(client, list), "position")
            return try positions(list, "position of").filter { $0.offset >= 0 }
        }
    }

    func commit(_ places: [KafkaPosition]) throws(KafkaError) {
        guard hasGroup else { throw .misuse("a commit needs a group") }
        let client = try open().client
        try withCoordinator(until: .now + Self.longestSearch) { () throws(KafkaError) in
            try withList(places) { list throws(KafkaError) in
                try KafkaError.check(rd_kafka_commit(client, list, 0), "commit")
                _ = try positions(list, "commit of")
            }
        }
    }

    func committed(_ partitions: [KafkaPartition], _ timeout: Duration) throws(KafkaError) -> [KafkaPosition] {
        guard hasGroup else { throw .misuse("committed offsets need a group") }
        let client = try open().client
        let deadline = ContinuousClock.now + timeout
        return try withCoordinator(until: deadline) { () throws(KafkaError) in
            try withList(partitions.map(KafkaPosition.committed)) { list throws(KafkaError) in
                try KafkaError.check(rd_kafka_committed(client, list, (deadline - .now).wholeMilliseconds), "committed")
                return try positions(list, "committed offset of").filter { $0.offset >= 0 }
            }
        }
    }
}
