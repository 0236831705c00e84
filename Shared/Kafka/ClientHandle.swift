internal import CKafka
internal import Threads

/// A librdkafka client and its event queue, freed exactly once. Not Sendable: its owner confines it.
final class ClientHandle {
    let client: OpaquePointer
    /// The queue on which everything the client has to say arrives: delivery reports, records, rebalances, errors.
    let queue: OpaquePointer
    private let observer: Unmanaged<ObserverBox>
    private var alive = true

    /// Makes the client.
    /// - Parameters:
    ///   - defaults: properties that the configuration may override.
    ///   - promises: properties that it may not, because this room's promises hang on them.
    init(
        _ kind: rd_kafka_type_t, _ configuration: KafkaConfiguration, defaults: [String: String], promises: [String: String],
        events: Int32
    ) throws(KafkaError) {
        let settings = try PropertyList(configuration, defaults: defaults, promises: promises)
        guard let conf = rd_kafka_conf_new() else { throw Self.noMemory }
        do {
            try settings.apply(to: conf)
        } catch {
            rd_kafka_conf_destroy(conf)
            throw error
        }
        let observer = Unmanaged.passRetained(ObserverBox(configuration.observer))
        rd_kafka_conf_set_opaque(conf, observer.toOpaque())
        rd_kafka_conf_set_log_cb(conf, forwardLogLine)
        rd_kafka_conf_set_events(conf, events)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(kind, conf, &text, text.count) else {
            // The client takes the configuration over only when it comes to be.
            rd_kafka_conf_destroy(conf)
            observer.release()
            throw KafkaError(.configuration, name: "CONFIGURATION", text: string(text))
        }
        if kind == RD_KAFKA_CONSUMER { rd_kafka_poll_set_consumer(client) }
        let queue = kind == RD_KAFKA_CONSUMER ? rd_kafka_queue_get_consumer(client) : rd_kafka_queue_get_main(client)
        guard let queue else {
            rd_kafka_destroy(client)
            observer.release()
            throw Self.noMemory
        }
        self.client = client
        self.queue = queue
        self.observer = observer
    }

    /// Frees the client. Waits for librdkafka's threads, so only on a thread that may block.
    func destroy() {
        guard alive else { return }
        alive = false
        Self.free(client: client, queue: queue, observer: observer)
    }

    /// Leaves the group of a consumer, where it has one, and frees the client; on a thread that may block.
    ///
    /// librdkafka does not always come to an end with a consumer whose topic was deleted (its issue 4362). Then the rest is
    /// left behind: a client's memory and threads, until the process ends.
    /// - Returns: whether it came to an end within `limit`.
    func closeConsumer(within limit: Duration) -> Bool {
        guard alive else { return true }
        alive = false
        let orphan = Orphan(client: client, queue: queue, observer: observer)
        let done = ThreadSignal()
        OSThread.start(name: "kafka-close") {
            rd_kafka_consumer_close(orphan.client)
            Self.free(client: orphan.client, queue: orphan.queue, observer: orphan.observer)
            done.raise()
        }
        return done.wait(atMost: limit)
    }

    deinit {
        guard alive else { return }
        let orphan = Orphan(client: client, queue: queue, observer: observer)
        OSThread.start(name: "kafka-free") { Self.free(client: orphan.client, queue: orphan.queue, observer: orphan.observer) }
    }

    // Unchecked: made by the last owner when it goes; the one thread that it is handed to is its only user.
    private struct Orphan: @unchecked Sendable {
        let client: OpaquePointer
        let queue: OpaquePointer
        let observer: Unmanaged<ObserverBox>
    }

    private static func free(client: OpaquePointer, queue: OpaquePointer, observer: Unmanaged<ObserverBox>) {
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy(client)
        // Only now: librdkafka's threads log until the client has gone.
        observer.release()
    }

    private static var noMemory: KafkaError { KafkaError(.configuration, name: "MEMORY", text: "librdkafka could not make a client") }
}

/// Keeps the observer at a fixed address for librdkafka's log callback.
final class ObserverBox: Sendable {
    let observer: KafkaObserver
    init(_ observer: KafkaObserver) { self.observer = observer }
}

/// librdkafka calls this from any of its threads.
private func forwardLogLine(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
    guard let client, let text, let opaque = rd_kafka_opaque(client) else { return }
    let line = KafkaLogLine(
        severity: Int(level), facility: facility.map { String(cString: $0) } ?? "", text: String(cString: text))
    Unmanaged<ObserverBox>.fromOpaque(opaque).takeUnretainedValue().observer.log(line)
}
