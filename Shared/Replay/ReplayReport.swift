public import Events

/// What the replay of one service's events found.
public struct ServiceReport: Sendable {
    /// Whose events.
    public let service: Service
    /// How many of its events were decided again.
    public let events: UInt64
    /// How many of those of an earlier run were only folded.
    public let folded: UInt64
    /// What was computed again, by name, and how often.
    public let checked: [String: Int]
    /// What could not be checked, how often, and where first.
    public let gaps: [Counted]
    /// The first faults, in the log's order. After one of its own rules a service is not followed any further.
    public let faults: [ReplayFault]

    /// A gap, how often it was met, and where first.
    public struct Counted: Sendable, Hashable {
        /// What and why.
        public let gap: ReplayGap
        /// How often.
        public let count: Int
        /// Where first.
        public let first: UInt64
    }
}

/// What the replay of a whole log found.
public struct ReplayReport: Sendable {
    /// One for each service, in the order of the data's way.
    public let services: [ServiceReport]
    /// From which position on decisions were made again; what lies before was checked by an earlier run.
    public let from: UInt64

    /// All faults, in the log's order.
    public var faults: [ReplayFault] {
        services.flatMap(\.faults).sorted { ($0.position ?? .max, $0.service.rawValue) < ($1.position ?? .max, $1.service.rawValue) }
    }

    /// Whether every event is one that the rules allow.
    public var isGood: Bool { services.allSatisfy(\.faults.isEmpty) }
}

/// Counts what was checked and what was not.
struct ReplayNotes {
    private(set) var checked: [String: Int] = [:]
    private var gaps: [ReplayGap: (count: Int, first: UInt64)] = [:]

    mutating func add(_ verdict: Verdict, at position: UInt64) {
        for (what, count) in verdict.checked { checked[what, default: 0] += count }
        for gap in verdict.gaps { miss(gap, at: position) }
    }

    mutating func count(_ what: String) { checked[what, default: 0] += 1 }

    mutating func miss(_ gap: ReplayGap, at position: UInt64) {
        gaps[gap, default: (0, position)].count += 1
    }

    var counted: [ServiceReport.Counted] {
        gaps.map { ServiceReport.Counted(gap: $0.key, count: $0.value.count, first: $0.value.first) }
            .sorted { ($0.first, $0.gap.what) < ($1.first, $1.gap.what) }
    }
}
