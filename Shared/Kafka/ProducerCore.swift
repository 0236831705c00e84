internal import CKafka
internal import Synchronization
internal import Threads

/// The producer's insides: the gate through which records go into librdkafka, and the one thread that serves its events.
final class ProducerCore: Sendable {
    // Unchecked: librdkafka's clients and queues may be used from any thread. They are freed by the event thread alone,
    // once `State.stopping` is set (nobody enters after that) and `State.users` is 0 (nobody is still inside).
    private struct Shared: @unchecked Sendable {
        let handle: ClientHandle
        var client: OpaquePointer { handle.client }
        var queue: OpaquePointer { handle.queue }
    }

    private struct State {
        var accepting = true
        var stopping = false
        /// Calls into librdkafka that are made outside the lock, because they wait.
        var users = 0
        var gate = QueueGate()
        var fatalError: KafkaError?
        var lastTrouble: KafkaError?
        var statistics: KafkaStatistics?
        var ended = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Lock<State>
    private let shared: Shared
    private let observer: KafkaObserver

    init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        let handle = try ClientHandle(
            RD_KAFKA_PRODUCER, configuration, defaults: ["linger.ms": "1"],
            promises: ["enable.idempotence": "true", "acks": "all"],
            events: Int32(RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS))
        shared = Shared(handle: handle)
        observer = configuration.observer
        state = Lock(State())
        OSThread.start(name: "kafka-producer") { [self] in serve() }
    }

    var fatalError: KafkaError? { state.withLock { $0.fatalError } }
    var statistics: KafkaStatistics? { state.withLock { $0.statistics } }

    // MARK: Sending

    enum Enqueued {
        case all
        /// A part, so that nobody else waits long for the lock.
        case some
        case failed(KafkaError)
        /// No room, or others wait before us. The epoch tells ``room(since:holdsTurn:)`` whether room was made since.
        case full(epoch: UInt64)
    }

    /// The most records that are handed over under one hold of the lock; about a millisecond.
    private static let chunk = 500

    /// Hands records over from `next` on; `next` ends at the first that was not taken. The lock is held meanwhile, so that
    /// ``close(_:)`` knows that nothing comes after it.
    func enqueue(_ batch: [KafkaRecord], from next: inout Int, _ ticket: BatchTicket, holdsTurn: Bool) -> Enqueued {
        var index = next
        defer { next = index }
        return state.withLock { state -> Enqueued in
            guard state.accepting else { return .failed(.closed("producer")) }
            guard state.gate.mayTry(holdsTurn: holdsTurn) else { return .full(epoch: state.gate.epoch) }
            let end = min(batch.count, index + Self.chunk)
            while index < end {
                let opaque = Unmanaged.passRetained(RecordTicket(ticket, index))
                if let error = produce(batch[index], to: shared.client, opaque: opaque.toOpaque()) {
                    opaque.release()
                    if error.code == .queueFull { return .full(epoch: state.gate.epoch) }
                    if holdsTurn { state.gate.giveTurnBack() }
                    return .failed(withCause(error))
                }
                index += 1
            }
            if index < batch.count { return .some }
            if holdsTurn { state.gate.giveTurnBack() }
            return .all
        }
    }

    /// Waits for room in the queue; first come, first served. A holder of the turn waits before all others.
    func room(since epoch: UInt64, holdsTurn: Bool) async -> QueueGate.Grant {
        let id = state.withLock { $0.gate.newWaiter() }
        let grant = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: QueueGate.Waiter) in
                state.withLock { state in
                    if !state.accepting { return waiter.resume(returning: .closed) }
                    state.gate.wait(id, waiter, since: epoch, holdsTurn: holdsTurn)
                }
            }
        } onCancel: {
            state.withLock { $0.gate.cancel(id) }
        }
        state.withLock { $0.gate.forget(id) }
        return grant
    }

    // MARK: Ending

    func flush(_ timeout: Duration) async throws(KafkaError) {
        guard enter() else { throw .closed("producer") }
        let code = await waitForDeliveries(timeout)
        leave()
        try KafkaError.check(code, "flush")
    }

    func close(_ timeout: Duration) async {
        let first = state.withLock { state in
            guard state.accepting else { return false }
            state.accepting = false
            state.users += 1
            state.gate.closeAll()
            return true
        }
        if first {
            _ = await waitForDeliveries(timeout)
            state.withLock { $0.stopping = true }
            leave()
        }
        await withCheckedContinuation { closer in
            state.withLock { state in
                if state.ended { closer.resume() } else { state.closers.append(closer) }
            }
        }
    }

    /// The producer was dropped without a close: nobody waits for anything, so what is left is thrown away.
    func abandon() {
        state.withLock { state in
            state.accepting = false
            guard !state.stopping, state.users == 0 else { return }
            state.stopping = true
            rd_kafka_queue_yield(shared.queue)
        }
    }

    private func enter() -> Bool {
        state.withLock { state in
            guard state.accepting else { return false }
            state.users += 1
            return true
        }
    }

    private func leave() {
        state.withLock { state in
            state.users -= 1
            // Inside the lock: after it the event thread may free the queue at any moment.
            rd_kafka_queue_yield(shared.queue)
        }
    }

    private func waitForDeliveries(_ timeout: Duration) async -> rd_kafka_resp_err_t {
        let milliseconds = timeout.wholeMilliseconds
        return await withCheckedContinuation { done in
            OSThread.start(name: "kafka-flush") { [shared] in
                done.resume(returning: rd_kafka_flush(shared.client, milliseconds))
            }
        }
    }

    /// Makes librdkafka believe that it met this error, so that tests can see what follows from one.
    func raiseFatalError(_ code: KafkaError.Code, _ reason: String) {
        state.withLock { state in
            guard state.accepting else { return }
            rd_kafka_test_fatal_error(shared.client, rd_kafka_resp_err_t(rawValue: code.rawValue), reason)
        }
    }

    // MARK: The event thread

    private func serve() {
        while true {
            if let event = rd_kafka_queue_poll(shared.queue, 1_000) {
                handle(event)
                rd_kafka_event_destroy(event)
                // The records' room is given back with their event, so waiters are called only now.
                state.withLock { $0.gate.roomWasMade() }
                continue
            }
            let (stopping, busy) = state.withLock { ($0.stopping, $0.users > 0) }
            guard stopping else { continue }
            if rd_kafka_outq_len(shared.client) > 0 {
                // Each purged record still comes back as a delivery report, which settles its send and frees its ticket.
                rd_kafka_purge(shared.client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            } else if !busy {
                break
            }
        }
        shared.handle.destroy()
        let closers = state.withLock { state in
            state.ended = true
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
    }

    private func handle(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            while let message = rd_kafka_event_message_next(event) { report(message.pointee) }
        case RD_KAFKA_EVENT_ERROR:
            let error = KafkaError(event: event, client: shared.client)
            state.withLock { state in
                if error.isFatal { state.fatalError = error } else { state.lastTrouble = error }
            }
            observer.trouble(error)
        case RD_KAFKA_EVENT_STATS:
            guard let text = rd_kafka_event_stats(event),
                let statistics = KafkaStatistics(json: Array(String(cString: text).utf8))
            else { return }
            state.withLock { $0.statistics = statistics }
            observer.statistics(statistics)
        default: break
        }
    }

    private func report(_ message: rd_kafka_message_t) {
        guard let opaque = message._private else { return }
        let ticket = Unmanaged<RecordTicket>.fromOpaque(opaque).takeRetainedValue()
        guard message.err != RD_KAFKA_RESP_ERR_NO_ERROR else {
            return ticket.batch.settle(ticket.index, .success(Delivery(partition: message.partition, offset: message.offset)))
        }
        let topic = message.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "?"
        var error = withCause(KafkaError(message.err, "\(topic)[\(message.partition)]"))
        if error.code == .messageTimedOut, let trouble = state.withLock(\.lastTrouble) {
            error.text += "; last trouble with the brokers: \(trouble)"
        }
        ticket.batch.settle(ticket.index, .failure(error))
    }

    /// Once the producer has met a fatal error, every later failure is its consequence and says so.
    private func withCause(_ error: KafkaError) -> KafkaError {
        var buffer = [CChar](repeating: 0, count: 512)
        guard case let code = rd_kafka_fatal_error(shared.client, &buffer, buffer.count), code != RD_KAFKA_RESP_ERR_NO_ERROR
        else { return error }
        var result = error
        result.isFatal = true
        result.isRetryable = false
        result.text += "; the producer met \(KafkaError(code, text: string(buffer)))"
        return result
    }
}
