public import EventLog
public import Kafka
public import Telemetry

/// Reads the one partition of the log's topic, and the ledger wherever Kafka falls short.
///
/// It begins with the ledger, until it is at the log's end, and then waits for Kafka. When Kafka says nothing new for a while
/// the ledger is asked: if the log has grown, Kafka is late or away, and events come by the ledger until records arrive
/// again. So a broker that is down or a topic that is deleted costs time, never an event.
///
/// It reads by assignment, without a group: where to go on is known from PostgreSQL, and Kafka need remember nothing.
public actor KafkaCarrier: EventCarrier {
    /// How patient it is.
    public struct Patience: Sendable {
        /// Silence after which the ledger is asked whether there is something new.
        public var silence: Duration = .seconds(1)
        /// How long Kafka may bring nothing new, while the log grows, before its client is made anew; also the pause after
        /// its client failed.
        public var renewal: Duration = .seconds(5)
        /// How far records may lag behind what is applied and still show that Kafka keeps up, in events.
        public var slack: UInt64 = 256

        /// The defaults.
        public init() {}
    }

    private enum Source {
        /// From where the projection stands to the log's end; then Kafka.
        case catchingUp
        /// Records as they arrive.
        case kafka
        /// The ledger's long poll, while Kafka is late or away.
        case ledger
    }

    private let configuration: KafkaConfiguration
    private let topic: String
    private let client: any LogClient
    private let patience: Patience
    private let logger: Logger
    private let brought: Counter
    private let fallbacks: Counter
    private let unreadable: Counter

    private var source = Source.catchingUp
    private var consumer: KafkaConsumer?
    private var isAssigned = false
    /// Before this no new client is made.
    private var nextAttempt = ContinuousClock.now
    /// When Kafka last brought something new, or the ledger had nothing newer either.
    private var heard = ContinuousClock.now
    /// Whether the ledger had an event that this client of Kafka did not bring.
    private var missed = false
    private var size: UInt64 = 0

    /// - Parameters:
    ///   - topic: the log's topic.
    ///   - client: the ledger, for what Kafka does not bring.
    /// - Throws: an error that names the property when one is not accepted.
    public init(
        _ configuration: KafkaConfiguration, topic: String, client: any LogClient, patience: Patience = Patience(),
        logger: Logger = .silent, metrics: Metrics = Metrics()
    ) throws(KafkaError) {
        self.configuration = configuration
        self.topic = topic
        self.client = client
        self.patience = patience
        self.logger = logger
        brought = metrics.counter(
            "openledger_projection_kafka_events_total", help: "Events that projections got from Kafka before the ledger."
        ).with()
        fallbacks = metrics.counter(
            "openledger_projection_kafka_fallbacks_total", help: "Times a projection turned to the ledger because Kafka was late or away."
        ).with()
        unreadable = metrics.counter(
            "openledger_projection_kafka_unreadable_total", help: "Records of the topic that carry no event; the ledger was asked instead."
        ).with()
        // Made here already, so that a property that is not accepted shows at the start.
        consumer = try Self.makeConsumer(configuration)
    }

    /// Records as they arrive, or what the ledger has where Kafka is late.
    public func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch {
        let deadline = ContinuousClock.now + wait
        size = max(size, next)
        repeat {
            try Task.checkCancellation()
            let patience = min(max(.zero, deadline - .now), patience.silence)
            let batch =
                switch source {
                case .catchingUp: try await catchUp(next, limit)
                case .kafka: try await fromKafka(next, limit, patience)
                case .ledger: try await fromLedger(next, limit, patience)
                }
            if !batch.events.isEmpty { return batch }
        } while ContinuousClock.now < deadline
        return LogBatch(events: [], size: size)
    }

    /// Closes the client, in the background.
    public func close() async { drop(until: .now) }

    private func catchUp(_ next: UInt64, _ limit: Int) async throws -> LogBatch {
        // Assigned before the log's end is reached, so that Kafka mostly has all that comes after it.
        _ = await assigned()
        let batch = try await read(next, limit, wait: nil)
        if batch.events.isEmpty { turnToKafka() }
        return batch
    }

    private func fromKafka(_ next: UInt64, _ limit: Int, _ wait: Duration) async throws -> LogBatch {
        guard let events = try await records(limit, wait) else {
            turnToLedger(next, "its client failed")
            return LogBatch(events: [], size: size)
        }
        if events.contains(where: { $0.position >= next }) {
            heard = .now
            return batch(events, next)
        }
        guard heard.duration(to: .now) >= patience.silence else { return LogBatch(events: [], size: size) }
        let batch = try await read(next, limit, wait: nil)
        heard = .now
        if !batch.events.isEmpty { turnToLedger(next, "the ledger has what Kafka did not bring") }
        return batch
    }

    private func fromLedger(_ next: UInt64, _ limit: Int, _ wait: Duration) async throws -> LogBatch {
        if let events = try await records(limit, .zero), let newest = events.map(\.position).max(), newest + patience.slack >= next {
            turnToKafka()
            if newest >= next { return batch(events, next) }
        }
        if missed, heard.duration(to: .now) >= patience.renewal {
            // A client that watched its topic go does not always find the new one.
            drop(until: .now)
            heard = .now
            missed = false
        }
        let batch = try await read(next, limit, wait: wait)
        if !batch.events.isEmpty { missed = true }
        return batch
    }

    private func turnToKafka() {
        if source == .ledger { logger.info("Kafka brings events again", ["topic": .string(topic)]) }
        source = .kafka
        heard = .now
        missed = false
    }

    private func turnToLedger(_ next: UInt64, _ reason: String) {
        fallbacks.add()
        logger.warning("events come from the ledger: \(reason)", ["topic": .string(topic), "position": .integer(Int64(next))])
        source = .ledger
        heard = .now
        missed = true
    }
}

// MARK: Both ends

extension KafkaCarrier {
    private func read(_ next: UInt64, _ limit: Int, wait: Duration?) async throws -> LogBatch {
        let batch = try await client.read(from: next, limit: limit, wait: wait)
        size = max(size, batch.size)
        return batch
    }

    private func batch(_ events: [LoggedEvent], _ next: UInt64) -> LogBatch {
        for event in events { size = max(size, event.position + 1) }
        brought.add(UInt64(events.count { $0.position >= next }))
        return LogBatch(events: events, size: size)
    }

    /// What has arrived; nil when Kafka can't be read now.
    private func records(_ limit: Int, _ wait: Duration) async throws -> [LoggedEvent]? {
        guard let consumer = await assigned() else { return nil }
        do {
            let records = try await consumer.next(max: limit, timeout: wait)
            let events = records.compactMap { LoggedEvent(record: $0) }
            if events.count < records.count { unreadable.add(UInt64(records.count - events.count)) }
            return events
        } catch let error as KafkaError {
            logger.warning("Kafka: \(error)", ["topic": .string(topic)])
            drop(until: .now + patience.renewal)
            return nil
        }
    }

    /// The client, reading from the partition's end: what is older comes from the ledger. Nil while it can't be had.
    private func assigned() async -> KafkaConsumer? {
        if isAssigned, let consumer { return consumer }
        guard nextAttempt <= .now else { return nil }
        do {
            let fresh = try consumer ?? Self.makeConsumer(configuration)
            consumer = fresh
            try await fresh.assign([.end(KafkaPartition(topic, 0))])
            isAssigned = true
            return fresh
        } catch {
            logger.warning("Kafka: \(error)", ["topic": .string(topic)])
            drop(until: .now + patience.renewal)
            return nil
        }
    }

    private func drop(until moment: ContinuousClock.Instant) {
        let old = consumer
        consumer = nil
        isAssigned = false
        nextAttempt = moment
        guard let old else { return }
        // Not waited for: librdkafka 2.0 may never let go of a client whose topic was deleted (its issue 4362). What that
        // costs is the client's threads, once for each deletion; events must not wait for it.
        Task {
            try? await old.assign([])
            await old.close()
        }
    }

    /// Where an offset no longer exists, as after a topic was made anew, all that the topic has is read: what is known is ignored.
    private static func makeConsumer(_ configuration: KafkaConfiguration) throws(KafkaError) -> KafkaConsumer {
        try KafkaConsumer(configuration, groupID: nil, startAt: .earliest)
    }
}
