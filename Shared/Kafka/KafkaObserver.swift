/// What a client tells beside the answers to its calls. Each closure runs on a thread of the client and must be quick.
public struct KafkaObserver: Sendable {
    /// A line of librdkafka's own log. Nothing goes to standard error.
    public var log: @Sendable (KafkaLogLine) -> Void
    /// Trouble that the client mends by itself, such as a broker that is away. For health pages and metrics.
    public var trouble: @Sendable (KafkaError) -> Void
    /// A snapshot every ``KafkaConfiguration/statisticsInterval``. A consumer gives it only while somebody reads from it.
    public var statistics: @Sendable (KafkaStatistics) -> Void

    /// An observer that ignores what it is not given.
    public init(
        log: @escaping @Sendable (KafkaLogLine) -> Void = { _ in },
        trouble: @escaping @Sendable (KafkaError) -> Void = { _ in },
        statistics: @escaping @Sendable (KafkaStatistics) -> Void = { _ in }
    ) {
        self.log = log
        self.trouble = trouble
        self.statistics = statistics
    }
}

/// One line of librdkafka's log.
public struct KafkaLogLine: Sendable, Hashable {
    /// Severity as in syslog (RFC 5424 §6.2.1): 0 emergency … 3 error, 4 warning, 6 information, 7 debug.
    public var severity: Int
    /// librdkafka's short name for the subject, such as `FAIL`.
    public var facility: String
    /// The line.
    public var text: String
}
