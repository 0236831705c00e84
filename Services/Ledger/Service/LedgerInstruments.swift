internal import EventLog
internal import Telemetry

/// What the ledger measures of itself.
struct LedgerInstruments: Sendable {
    private let metrics: Metrics
    private let events: Counter
    private let batches: Histogram
    private let batchSizes: Histogram
    private let published: Counter
    private let publishedTo: Gauge
    private let publicationFailures: Counter

    init(metrics: Metrics, tail: LogTail) {
        self.metrics = metrics
        events = metrics.counter("openledger_log_events_total", help: "Events this instance appended.").with()
        batches = metrics.histogram("openledger_log_commit_seconds", help: "Time of one group commit.").with()
        batchSizes = metrics.histogram(
            "openledger_log_commit_appends", help: "Appends that one commit took together.",
            buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]
        ).with()
        published = metrics.counter("openledger_carriage_events_total", help: "Events published to Kafka.").with()
        publishedTo = metrics.gauge("openledger_carriage_position", help: "The next position to publish to Kafka.").with()
        publicationFailures = metrics.counter("openledger_carriage_failures_total", help: "Times publication had to begin again.").with()
        metrics.sample("openledger_log_size", help: "Events on the log.") { Double(tail.size) }
    }

    /// What is looked at only when somebody asks.
    func watch(leader: Leader, checkpointer: Checkpointer, queue: AppendQueue) {
        metrics.sample("openledger_log_oldest_append_seconds", help: "How long the oldest append waits that has no answer yet.") {
            queue.oldest.map { (ContinuousClock.now - $0).inSeconds } ?? 0
        }
        metrics.sample("openledger_log_leading", help: "1 when this instance writes, else 0.") { leader.isLeading ? 1 : 0 }
        metrics.sample("openledger_log_checkpoint_size", help: "Events under the newest signed checkpoint.") {
            Double(checkpointer.latest?.checkpoint.size ?? 0)
        }
        metrics.sample("openledger_log_cosigned_size", help: "Events under the newest checkpoint that a witness cosigned.") {
            Double(checkpointer.cosigned?.checkpoint.size ?? 0)
        }
    }

    func wrote(events count: Int, appends: Int, in duration: Duration) {
        events.add(UInt64(count))
        batches.observe(duration.inSeconds)
        batchSizes.observe(Double(appends))
    }

    func published(_ count: Int, next: UInt64) {
        published.add(UInt64(count))
        publishedTo.set(Double(next))
    }

    func carriageFailed() { publicationFailures.add() }
}
