/// What failed, why, and when it is tried again: each by itself and ever more seldom, so that it takes little from the rest.
struct Delays<Key: Hashable & Sendable>: Sendable {
    private struct Entry {
        var failures: Int
        var due: ContinuousClock.Instant
        var reason: String
    }

    private var entries: [Key: Entry] = [:]
    private let shortest: Duration
    private let longest: Duration

    /// Waits so long after the first failure, and twice as long after each further one.
    init(_ shortest: Duration, upTo longest: Duration) {
        self.shortest = shortest
        self.longest = longest
    }

    var count: Int { entries.count }

    /// All that failed and has not gone well since.
    var keys: Set<Key> { Set(entries.keys) }

    /// The keys that are not tried before their time.
    func waiting(at now: ContinuousClock.Instant) -> Set<Key> { Set(entries.filter { $0.value.due > now }.keys) }

    /// The keys that failed so often or more.
    func failing(_ times: Int) -> Set<Key> { Set(entries.filter { $0.value.failures >= times }.keys) }

    /// When the next one is due.
    var next: ContinuousClock.Instant? { entries.values.map(\.due).min() }

    /// Any of those that failed, with its reason, for operators.
    var example: (key: Key, reason: String)? { entries.max { $0.value.failures < $1.value.failures }.map { ($0.key, $0.value.reason) } }

    /// Notes that something failed, and puts it off.
    mutating func failed(_ key: Key, _ reason: String, at now: ContinuousClock.Instant) {
        let failures = (entries[key]?.failures ?? 0) + 1
        let pause = min(longest, shortest * (1 << min(failures - 1, 20)))
        entries[key] = Entry(failures: failures, due: now + pause, reason: reason)
    }

    /// Notes that it went well, or is no longer to be done.
    mutating func done(_ key: Key) { entries[key] = nil }
}
