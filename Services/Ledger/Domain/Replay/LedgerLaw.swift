public import Decisions
internal import EventLog
public import Events
internal import JSON
public import Replay

/// Checks the log's own events: each key is named by the one before it.
public struct LedgerLaw: ReplayLaw {
    /// The ledger's.
    public static let service = Service.ledger
    /// Its own keys are all that it looks at.
    public static let looksAtOthers = false

    private let origin: String

    /// - Parameter origin: the log's name.
    public init(origin: String) { self.origin = origin }

    /// The keys so far.
    public struct Keys: ServiceState {
        /// The newest key that was named; nil before the first rotation.
        var newest: String?

        /// Rotations alone.
        public static func concerns(_ type: String) -> Bool { type == "log-key.rotated" }

        /// Notes the next key.
        public mutating func apply(_ fact: Fact) { newest = fact.data["next"]?.stringValue }
    }

    /// No rotation yet.
    public func makeState() -> Keys { Keys() }

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: Keys, _ moment: DecisionContext) throws -> Verdict {
        guard append.first.type == "log-key.rotated", let stream = StreamName(KeyRotation.stream) else { return .unknown }
        guard let previous = KeyRotation.verify(append.first.data, origin: origin)?.previous else {
            throw Unlawful("the old key's signature does not hold for the new key of \(origin)")
        }
        guard state.newest == nil || state.newest == previous.description else {
            throw Unlawful("is the word of \(previous), which is not the newest key")
        }
        return Verdict([NewEvent("log-key.rotated", stream: stream, data: append.first.data)], checked: ["key rotations": 1])
    }
}
