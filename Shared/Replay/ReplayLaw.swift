public import Crypto
public import Decisions
public import Events
internal import JSON

/// How a service's events are decided again: each service brings its own, beside its rules.
///
/// A law is given the events of one append as the service wrote them and the service's state as it was before. It calls the rule that the
/// service would have called, with what the events themselves say was asked for, and hands back what the rule makes of it. What it hands
/// back is compared with what stands on the log, field by field.
public protocol ReplayLaw: Sendable {
    /// What the service remembers.
    associatedtype State: ServiceState

    /// Whose events.
    static var service: Service { get }

    /// Of its service's nouns, those that it has rules for: all, but where a service decides in two rooms.
    static var nouns: Set<String> { get }

    /// Whether its rules look at other services' events: those reach it a moment after they are on the log, so a decision may have been
    /// made on a state that is a few seconds behind its place.
    static var looksAtOthers: Bool { get }

    /// The state before the first event.
    func makeState() -> State

    /// Hears of every event that the state concerns, before the state does, for what the law must remember besides.
    mutating func hear(_ fact: ReplayFact)

    /// What the rules make of the same.
    /// - Throws: what the rule throws when it refuses, ``EvidenceTrouble``, or a reading error.
    func judge(_ append: ReplayedAppend, _ state: State, _ moment: DecisionContext) throws -> Verdict

    /// What is missing at the end of the log: something that was due and never came.
    func finish(_ state: State, logTime: Timestamp) -> Ending
}

extension ReplayLaw {
    /// All.
    public static var nouns: Set<String> { service.nouns }
    /// As most do.
    public static var looksAtOthers: Bool { true }
    /// Nothing.
    public mutating func hear(_ fact: ReplayFact) {}
    /// Nothing.
    public func finish(_ state: State, logTime: Timestamp) -> Ending { Ending() }
}

/// An event on its place.
public struct ReplayFact: Sendable {
    /// The event.
    public let fact: Fact
    /// Where it stands.
    public let position: UInt64
    /// The root of the tree that ends with it, for those events to which others refer by it.
    public let root: Digest?

    /// An event from its parts.
    public init(_ fact: Fact, position: UInt64, root: Digest? = nil) {
        self.fact = fact
        self.position = position
        self.root = root
    }
}

/// The events of one append: they have one cause and were decided together.
public struct ReplayedAppend: Sendable {
    /// In order, at least one; without positions, as their service saw them.
    public let facts: [Fact]
    /// Where the first stands.
    public let position: UInt64

    /// From its events.
    public init(_ facts: [Fact], position: UInt64) {
        self.facts = facts
        self.position = position
    }

    /// The first event.
    public var first: Fact { facts[0] }

    /// The typed data of the first event.
    public func data<Payload: EventData>(_ type: Payload.Type) throws -> Payload { try Payload(first.data.object()) }

    /// The typed data of the first event of that type; nil when there is none.
    public func find<Payload: EventData>(_ type: Payload.Type) throws -> Payload? {
        try facts.first { $0.type == Payload.type }.map { try Payload($0.data.object()) }
    }

    /// The event that it reacts to; nil for a command.
    public var reactsTo: EventID? { if case .event(let id) = first.cause { id } else { nil } }
}

/// What a law says of an append.
public struct Verdict: Sendable {
    /// What the rules make; nil where the law has no rule for this type, which is then named in the report.
    public var events: [NewEvent]?
    /// What was computed again, for the report.
    public var checked: [String: Int] = [:]
    /// What nobody outside can check.
    public var gaps: [ReplayGap] = []

    /// These events.
    public init(_ events: [NewEvent]?, checked: [String: Int] = [:], gaps: [ReplayGap] = []) {
        self.events = events
        self.checked = checked
        self.gaps = gaps
    }

    /// The law has no rule for this.
    public static let unknown = Verdict(nil)
}

/// What a law says at the end of the log.
public struct Ending: Sendable {
    /// What should have come and did not.
    public var missing: [(position: UInt64, type: String, reason: String)] = []
    /// What may yet come.
    public var gaps: [ReplayGap] = []
    /// What was checked on the whole.
    public var checked: [String: Int] = [:]

    /// Nothing is missing.
    public init() {}
}

/// A law's finding that no rule throws.
public struct Unlawful: Error, Sendable, Hashable, CustomStringConvertible {
    /// What differs.
    public let description: String
    /// In which of the append's events, from 0.
    public let event: Int

    /// Says what differs.
    public init(_ description: String, in event: Int = 0) {
        self.description = description
        self.event = event
    }
}
