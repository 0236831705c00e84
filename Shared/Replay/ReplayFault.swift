public import Events

/// An event that the rules of its service do not allow where it stands, or evidence that is not what an event says.
public struct ReplayFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whose rules.
    public let service: Service
    /// Where the event stands; nil for what is missing at the end of the log.
    public let position: UInt64?
    /// The event's type.
    public let type: String
    /// Which rule, in a word or two that stays the same: `decision`, `state`, `evidence`, `cause`, `missing`.
    public let rule: String
    /// What differs, for a person.
    public let reason: String

    /// Names a fault.
    public init(_ service: Service, position: UInt64?, type: String, rule: String, reason: String) {
        self.service = service
        self.position = position
        self.type = type
        self.rule = rule
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String {
        "\(position.map { "position \($0)" } ?? "end of the log"), \(service.rawValue), \(type) (\(rule)): \(reason)"
    }
}

/// Something that nobody outside can check, and why.
public struct ReplayGap: Sendable, Hashable {
    /// What it is about, such as `signatures of manifests`.
    public let what: String
    /// Why it cannot be checked, such as `manifests are content of their owners`.
    public let why: String

    /// Pairs them.
    public init(_ what: String, why: String) {
        self.what = what
        self.why = why
    }
}
