internal import CKafka

/// An idempotent producer: a record that is acknowledged was written by all in-sync replicas, once, and the records of
/// one partition in the order they were handed over, also over broker restarts. Any number of tasks may send at once.
///
/// Set by the room: `enable.idempotence`, `acks=all`. A default worth knowing: `message.timeout.ms` is librdkafka's
/// 300,000, the longest that a send waits for a broker to come back.
public final class KafkaProducer: Sendable {
    private let core: ProducerCore

    /// Makes a producer; it connects by itself in the background.
    /// - Throws: an error that names the property when one is not accepted.
    public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        core = try ProducerCore(configuration)
    }

    deinit { core.abandon() }

    /// Sends a record and waits until it is acknowledged. Suspends while the queue is full.
    ///
    /// Cancelling the task ends the wait for room in the queue. A record that is in the queue can't be taken back, so
    /// from then on the call lasts until the record is acknowledged or has failed.
    public func send(_ record: KafkaRecord) async throws(KafkaError) -> Delivery {
        guard let result = await deliver(batch: [record]).first else { throw .closed("producer") }
        return try result.get()
    }

    /// Sends records in order and waits for all of them.
    /// - Throws: the first failure in the batch's order, after every record is settled. ``deliver(batch:)`` tells all.
    public func send(batch: [KafkaRecord]) async throws(KafkaError) -> [Delivery] {
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(batch.count)
        for result in await deliver(batch: batch) { deliveries.append(try result.get()) }
        return deliveries
    }

    /// Sends records in order and says for each how it went. When one can't even be queued, those after it are not sent
    /// (``KafkaError/Code/skipped``), so that no later record overtakes it.
    public func deliver(batch: [KafkaRecord]) async -> [Result<Delivery, KafkaError>] {
        guard !batch.isEmpty else { return [] }
        let ticket = BatchTicket(count: batch.count)
        var next = 0
        var holdsTurn = false
        queueing: while true {
            switch core.enqueue(batch, from: &next, ticket, holdsTurn: holdsTurn) {
            case .all: break queueing
            case .some: continue
            case .failed(let error):
                ticket.fail(from: next, error)
                break queueing
            case .full(let epoch):
                switch await core.room(since: epoch, holdsTurn: holdsTurn) {
                case .go: holdsTurn = true
                case .closed:
                    ticket.fail(from: next, .closed("producer"))
                    break queueing
                case .cancelled:
                    ticket.fail(from: next, KafkaError(.cancelled, name: "CANCELLED", text: "cancelled while the queue was full"))
                    break queueing
                }
            }
        }
        return await ticket.results()
    }

    /// Waits until everything that was sent before is settled.
    /// - Throws: ``KafkaError/Code/timedOut`` when that takes longer; the sends go on.
    public func flush(timeout: Duration) async throws(KafkaError) { try await core.flush(timeout) }

    /// Refuses new records, gives those on their way `timeout` to be acknowledged, fails the rest, and frees the
    /// client. Every waiting send has its answer before this returns. Closing twice is fine.
    public func close(timeout: Duration = .seconds(10)) async { await core.close(timeout) }

    /// The error that stopped this producer for good, if one did. Records then fail with ``KafkaError/isFatal`` set;
    /// make a new producer and send again what was not acknowledged.
    public var fatalError: KafkaError? { core.fatalError }

    /// The latest statistics; nil before the first, or when none were asked for.
    public var statistics: KafkaStatistics? { core.statistics }

    func raiseFatalError(_ code: KafkaError.Code, _ reason: String) { core.raiseFatalError(code, reason) }
}
