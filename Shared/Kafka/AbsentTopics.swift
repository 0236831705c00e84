/// Subscribed topics of which a broker said that there are none. For a while each may only be on its way: a broker learns
/// of a new topic a little after the controller has made it. Pure state; ``ConsumerCore`` asks and tells.
struct AbsentTopics {
    private struct Wait {
        var errorAt: ContinuousClock.Instant
        var askAt: ContinuousClock.Instant
        var pause: Duration
    }

    /// How long a topic may be on its way.
    let patience: Duration
    private var waits: [String: Wait] = [:]

    static let firstPause = Duration.milliseconds(100)
    static let longestPause = Duration.seconds(2)

    /// - Parameter patience: librdkafka's `topic.metadata.propagation.max.ms`, which says the same of topics that it is
    ///   told to read or write; its default is this one's too.
    init(patience: Duration) { self.patience = patience }

    var isEmpty: Bool { waits.isEmpty }

    /// A broker does not know these. Those that are waited for already keep their time.
    mutating func add(_ topics: [String], now: ContinuousClock.Instant) {
        for topic in topics where waits[topic] == nil {
            waits[topic] = Wait(errorAt: now + patience, askAt: now + min(Self.firstPause, patience), pause: Self.firstPause)
        }
    }

    mutating func remove(_ topic: String) { waits[topic] = nil }

    mutating func removeAll() { waits = [:] }

    /// When ``due(now:)`` has something next.
    var nextAsk: ContinuousClock.Instant? { waits.values.map(\.askAt).min() }

    /// The topics to ask a broker for now, in order. Each comes again after a pause that grows.
    mutating func due(now: ContinuousClock.Instant) -> [String] {
        let topics = waits.filter { $0.value.askAt <= now }.keys.sorted()
        for topic in topics {
            guard var wait = waits[topic] else { continue }
            wait.pause = min(wait.pause * 2, Self.longestPause)
            // The last question comes when the time is up, not after it.
            wait.askAt = wait.errorAt <= now ? now + wait.pause : min(now + wait.pause, wait.errorAt)
            waits[topic] = wait
        }
        return topics
    }

    /// Whether a topic that still is not there has had its time.
    func isOverdue(_ topic: String, now: ContinuousClock.Instant) -> Bool { waits[topic].map { $0.errorAt <= now } ?? false }

    /// The error was told: the topic gets its time again.
    mutating func beginAgain(_ topic: String, now: ContinuousClock.Instant) { waits[topic]?.errorAt = now + patience }
}
