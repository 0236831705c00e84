internal import EventLog
internal import Events
internal import Kafka
internal import Postgres
internal import Telemetry

/// Publishes the log to Kafka: every event, in position order, into the one partition of one topic.
///
/// Where it stands is kept in PostgreSQL after each acknowledged batch. After a crash some events are published again,
/// which consumers ignore by position; none is ever left out.
struct KafkaCarriage: Sendable {
    /// What the carriage needs to know of the cluster.
    struct Settings: Sendable {
        let kafka: KafkaConfiguration
        let topic: String
        let replication: Int
    }

    let settings: Settings
    let source: String
    let reader: LogReader
    let pool: PostgresPool
    let logger: Logger
    let instruments: LedgerInstruments
    let isLeading: @Sendable () -> Bool

    /// Publishes while this instance leads, until cancelled. Kafka being away stops nothing else: it is tried again.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                guard isLeading() else {
                    try await Task.sleep(for: .milliseconds(100))
                    continue
                }
                try await publish { failures = 0 }
            } catch is CancellationError {
                return
            } catch {
                failures = min(failures + 1, 6)
                instruments.carriageFailed()
                logger.warning("publication to Kafka waits: \(error)")
                try? await Task.sleep(for: .milliseconds(100 << failures))
            }
        }
    }

    private func publish(_ onProgress: () -> Void) async throws {
        try await ensureTopic()
        let producer = try KafkaProducer(settings.kafka)
        do {
            var next = UInt64(try await pool.execute(LogSQL.carriage, [.text(settings.topic)]).first?.int(0) ?? 0)
            while isLeading() {
                try Task.checkCancellation()
                let batch = try await reader.read(from: next, limit: 1_024, wait: .seconds(1))
                guard let last = batch.events.last else {
                    // While the process stops, reads do not wait any more.
                    if reader.tail.isDraining { try await Task.sleep(for: .milliseconds(50)) }
                    continue
                }
                _ = try await producer.send(batch: try batch.events.map(record))
                next = last.position + 1
                _ = try await pool.execute(LogSQL.moveCarriage, [.text(settings.topic), .int(Int64(next))])
                instruments.published(batch.events.count, next: next)
                onProgress()
            }
            await producer.close()
        } catch {
            await producer.close()
            throw error
        }
    }

    /// One partition, for one order; a week, because the ledger remembers.
    private func ensureTopic() async throws {
        let admin = try KafkaAdmin(settings.kafka)
        do {
            try await admin.createTopic(
                settings.topic, partitions: 1, replication: Int32(clamping: settings.replication), config: ["retention.ms": "604800000"])
            await admin.close()
        } catch {
            await admin.close()
            throw error
        }
    }

    private func record(_ event: LoggedEvent) throws -> KafkaRecord {
        let header = try EventHeader(trusted: event.bytes)
        let attributes = CloudEvent(
            id: header.id.text, source: source, type: header.type, time: header.time.description, subject: header.stream.text,
            data: nil)
        return KafkaRecord(
            topic: settings.topic, partition: 0, key: Array(header.stream.text.utf8), value: event.bytes,
            headers: try attributes.kafkaHeaders() + [
                KafkaHeader("ol_position", String(event.position)), KafkaHeader("ol_version", String(event.version)),
            ])
    }
}
