public import Crypto
public import EventLog
internal import Events

/// What the log becomes when a run of appends is decided one after the other: the pure heart of the sequencer.
///
/// It is told how many events each stream has (``setHead(_:of:)``) before an append that touches the stream is decided.
public struct BatchPlan: Sendable {
    /// A row to store.
    public struct Row: Sendable {
        /// The event's position.
        public let position: UInt64
        /// Its stream.
        public let stream: Key128
        /// Its number in the stream.
        public let version: UInt64
        /// On the first event of an append.
        public let command: Key128?
        /// The leaf's hash.
        public let leaf: Digest
        /// The event's bytes.
        public let bytes: [UInt8]
    }

    /// What becomes of one append.
    public enum Verdict: Sendable {
        /// It is in the batch; the answer holds once the batch is stored.
        case accepted(Appended)
        /// The same command stands earlier in this batch; it gets that one's answer, or a conflict.
        case repeats(earlier: Int)
        /// It can't be.
        case refused(LogError)
    }

    /// The rows so far.
    public private(set) var rows: [Row] = []
    /// How many events the log has once the rows are stored.
    public private(set) var size: UInt64
    /// How many events each stream has once the rows are stored, of all streams that were asked for.
    public private(set) var heads: [Key128: UInt64] = [:]
    /// Of each run, the streams that do not stand as its later appends take them to: one before was refused, or was there already.
    /// A number of events would not tell: another's event in the place of the one that was refused makes it right again.
    public var broken: [UInt64: Set<Key128>] = [:]
    private var commands: [Key128: Int] = [:]
    private var decided = 0

    /// A plan for a log of this size.
    public init(size: UInt64) { self.size = size }

    /// Says how many events a stream has before the batch.
    public mutating func setHead(_ count: UInt64, of stream: Key128) { heads[stream] = count }

    /// Whether a stream's head is known.
    public func knows(_ stream: Key128) -> Bool { heads[stream] != nil }

    /// Makes room at once for a batch of this many rows.
    public mutating func reserve(_ count: Int) {
        rows.reserveCapacity(count)
        commands.reserveCapacity(count)
    }

    /// Decides the next append of the batch.
    public mutating func decide(_ append: PreparedAppend) -> Verdict {
        let verdict = verdict(append)
        if case .accepted = verdict { return verdict }
        breakRun(of: append)
        return verdict
    }

    /// An append did not make what the later ones of its run rest on.
    public mutating func breakRun(of append: PreparedAppend) {
        guard let run = append.run else { return }
        broken[run.id, default: []].formUnion(append.entries.map(\.streamKey))
    }

    private mutating func verdict(_ append: PreparedAppend) -> Verdict {
        defer { decided += 1 }
        if let earlier = commands[append.command] { return .repeats(earlier: earlier) }
        if let fault = append.lateness { return .refused(.invalid(index: 0, fault)) }
        var stale: Set<Key128> = []
        if let run = append.run { stale = run.broken.union(broken[run.id] ?? []) }
        for condition in append.conditions {
            let actual = heads[condition.key] ?? 0
            if condition.expected != .any, stale.contains(condition.key) {
                return .refused(.wrongVersion(stream: condition.stream, expected: condition.expected, actual: actual))
            }
            switch condition.expected {
            case .any: continue
            case .none where actual == 0: continue
            case .exact(let version) where version == actual: continue
            default:
                return .refused(.wrongVersion(stream: condition.stream, expected: condition.expected, actual: actual))
            }
        }
        commands[append.command] = decided
        let first = size
        var entries: [Appended.Entry] = []
        entries.reserveCapacity(append.entries.count)
        for entry in append.entries {
            let version = heads[entry.streamKey] ?? 0
            heads[entry.streamKey] = version + 1
            rows.append(
                Row(
                    position: size, stream: entry.streamKey, version: version, command: size == first ? append.command : nil,
                    leaf: entry.leaf, bytes: entry.bytes))
            entries.append(Appended.Entry(id: entry.id, stream: entry.stream, version: version))
            size += 1
        }
        return .accepted(Appended(position: first, entries: entries))
    }
}
