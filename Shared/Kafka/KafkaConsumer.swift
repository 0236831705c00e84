internal import CKafka
internal import Synchronization
internal import Threads

/// Reads records in order, on demand: nothing is taken from librdkafka that the reader did not ask for. Offsets are
/// never committed by themselves; whoever keeps its position elsewhere starts with ``assign(_:)`` or seeks.
///
/// One task reads; any task may call the other methods, which also interrupt a waiting read for their moment.
public final class KafkaConsumer: Sendable {
    /// Where to start in a partition for which no position is known, or whose position no longer exists.
    public enum Start: String, Sendable {
        /// The oldest record there is.
        case earliest
        /// After the newest record.
        case latest
        /// Don't start: the read throws ``KafkaError/Code/offsetReset``. For readers that may not miss a record.
        case fail = "error"
    }

    private let core: ConsumerCore
    private let signal: ConsumerSignal
    private let executor: ThreadExecutor
    private let reading = Lock(false)

    /// Makes a consumer; it connects by itself in the background.
    /// - Parameters:
    ///   - groupID: the group whose members share partitions and committed offsets; nil for a reader on its own, which
    ///     may assign but not subscribe or commit.
    ///   - startAt: where to begin when nothing else says so.
    /// - Throws: an error that names the property when one is not accepted.
    public init(_ configuration: KafkaConfiguration, groupID: String?, startAt: Start) throws(KafkaError) {
        executor = ThreadExecutor(name: "kafka-consumer")
        do {
            core = try ConsumerCore(configuration, groupID: groupID, startAt: startAt, executor)
        } catch {
            executor.stop()
            throw error
        }
        signal = core.signal
    }

    deinit { executor.stop() }

    // MARK: What to read

    /// Joins the group and lets it share the topics' partitions out. What the group gives and takes arrives as
    /// ``KafkaConsumerEvent/assigned(_:)`` and ``KafkaConsumerEvent/revoked(_:lost:)``, in order with the records.
    /// Go on reading, or at least asking, as long as you are a member: the group settles only while every member does.
    ///
    /// A topic that is not there *yet* is waited for: the observer hears of it, and only after
    /// `topic.metadata.propagation.max.ms` (30 s) without it the read throws ``KafkaError/Code/unknownTopicOrPartition``
    /// with the topic's name. Reading on waits for it again.
    public func subscribe(_ topics: [String]) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.subscribe(topics) }
    }

    /// Reads exactly these partitions from these positions, without a group. Replaces an earlier assignment.
    public func assign(_ positions: [KafkaPosition]) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.assign(positions) }
    }

    /// The partitions that are read now.
    public func assignment() async throws(KafkaError) -> [KafkaPartition] {
        try await perform { core throws(KafkaError) in try core.assignment() }
    }

    // MARK: Reading

    /// The next records, or the next change of the group's assignment; nil after `timeout` without either.
    ///
    /// As soon as one record is there the call returns with all that are, at most `max`. A partition's records come in
    /// offset order. **Asking for the next event accepts the last one**: partitions that were assigned are
    /// fetched, and those revoked are given back, when this is called again. So after `.assigned` the reader may
    /// ``seek(_:)`` to the positions that it keeps, and after `.revoked` it may finish what it has of them.
    ///
    /// - Parameter timeout: nil waits for ever.
    /// - Throws: ``KafkaError``; nothing that was read is lost with it. `CancellationError` when the task was cancelled.
    public func nextEvent(max: Int = 1_000, timeout: Duration? = nil) async throws -> KafkaConsumerEvent? {
        let alone = reading.withLock { reading in
            defer { reading = true }
            return !reading
        }
        guard alone else { throw KafkaError(.busy, name: "BUSY", text: "another task reads from this consumer") }
        defer { reading.withLock { $0 = false } }
        let deadline = timeout.map { ContinuousClock.now + $0 }
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            while true {
                switch try await core.poll(max: max, until: deadline, stop) {
                case .event(let event): return event
                case .timedOut: return nil
                // Another call, or a cancellation, wants its turn; with the call served the wait goes on.
                case .interrupted: try Task.checkCancellation()
                }
            }
        } onCancel: {
            stop.set()
            signal.wake()
        }
    }

    /// The next records, at most `max`; empty after `timeout` without any. Accepts changes of the assignment as they
    /// come; use ``nextEvent(max:timeout:)`` to see them. Otherwise as there.
    public func next(max: Int = 1_000, timeout: Duration? = nil) async throws -> [KafkaRecord] {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            let left = deadline.map { $0 - ContinuousClock.now }
            switch try await nextEvent(max: max, timeout: left) {
            case .records(let records): return records
            case .assigned, .revoked: continue
            case nil: return []
            }
        }
    }

    // MARK: Moving

    /// Goes on reading from this position. After an `.assigned` event it sets where the partition starts.
    public func seek(_ position: KafkaPosition) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.seek(position) }
    }

    /// Stops fetching these partitions. Nothing of them is given out until ``resume(_:)``.
    public func pause(_ partitions: [KafkaPartition]) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.setPaused(true, partitions) }
    }

    /// Goes on with paused partitions, after the last record that was given out.
    public func resume(_ partitions: [KafkaPartition]) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.setPaused(false, partitions) }
    }

    /// The offset after the last record given out, for those partitions of which one was.
    public func position(_ partitions: [KafkaPartition]) async throws(KafkaError) -> [KafkaPosition] {
        try await perform { core throws(KafkaError) in try core.position(partitions) }
    }

    // MARK: The group's memory

    /// Stores the offsets of the **next** records to read with the group, and waits until the broker has them.
    public func commit(_ positions: [KafkaPosition]) async throws(KafkaError) {
        try await perform { core throws(KafkaError) in try core.commit(positions) }
    }

    /// What the group committed last, for those partitions of which it did.
    public func committed(_ partitions: [KafkaPartition], timeout: Duration = .seconds(10)) async throws(KafkaError) -> [KafkaPosition] {
        try await perform { core throws(KafkaError) in try core.committed(partitions, timeout) }
    }

    /// The latest statistics; nil before the first, or when none were asked for.
    public var statistics: KafkaStatistics? { signal.statistics }

    /// Leaves the group and frees the client. A waiting read throws ``KafkaError/Code/closed``, as does every later
    /// call. Closing twice is fine.
    public func close() async {
        signal.interrupt()
        await core.close()
        executor.stop()
    }

    private func perform<Result: Sendable>(
        _ body: @Sendable (isolated ConsumerCore) throws(KafkaError) -> Result
    ) async throws(KafkaError) -> Result {
        signal.interrupt()
        return try await core.serve(body)
    }
}
