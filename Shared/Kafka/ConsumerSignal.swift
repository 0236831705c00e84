internal import CKafka
internal import Synchronization
internal import Threads

/// How other threads get the attention of the consumer's thread while it waits inside librdkafka.
final class ConsumerSignal: Sendable {
    // Unchecked: librdkafka's queues may be woken from any thread; `disconnect` puts this one out of reach before it is freed.
    private struct Queue: @unchecked Sendable {
        let pointer: OpaquePointer
    }
    private struct State {
        var queue: Queue?
        var waiting = 0
        var statistics: KafkaStatistics?
    }
    private let state = Lock(State())

    var statistics: KafkaStatistics? {
        get { state.withLock { $0.statistics } }
        set { state.withLock { $0.statistics = newValue } }
    }

    func connect(_ handle: ClientHandle) {
        let queue = Queue(pointer: handle.queue)
        state.withLock { $0.queue = queue }
    }

    func disconnect() { state.withLock { $0.queue = nil } }

    /// Ends the wait in librdkafka, or the next one if there is none now.
    func wake() {
        state.withLock { state in
            if let queue = state.queue { rd_kafka_queue_yield(queue.pointer) }
        }
    }

    /// A call comes for the consumer's thread: a waiting read lets it in.
    func interrupt() {
        state.withLock { state in
            state.waiting += 1
            if let queue = state.queue { rd_kafka_queue_yield(queue.pointer) }
        }
    }

    func served() { state.withLock { $0.waiting -= 1 } }

    var isInterrupted: Bool { state.withLock { $0.waiting > 0 } }
}

/// Says to one read that its task was cancelled.
final class StopFlag: Sendable {
    private let flag = Lock(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
}
