/// A rule said no.
public struct DatanetRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of no.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// There is no such thing.
        case notFound
        /// The caller may not do this.
        case forbidden
        /// It contradicts what is: a second vote, a vote after the deadline.
        case conflict
        /// It can be read and can't be done: a policy out of its limits, a snapshot of nothing.
        case unprocessable
        /// What the decision was prepared from has changed meanwhile; prepare it anew.
        case stale
    }

    /// What kind.
    public let kind: Kind
    /// Which rule, as a code for programs.
    public let code: String
    /// What is wrong and what to do, for people.
    public let detail: String

    /// A refusal from its parts.
    public init(_ kind: Kind, _ code: String, _ detail: String) {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    /// Code and detail.
    public var description: String { "\(code): \(detail)" }

    static func unknown(_ what: String, _ id: String) -> DatanetRefusal {
        DatanetRefusal(.notFound, "unknown-\(what)", "there is no \(what) \(id.prefix(80))")
    }

    static func notAllowed(_ detail: String) -> DatanetRefusal { DatanetRefusal(.forbidden, "not-allowed", detail) }

    static func badPolicy(_ detail: String) -> DatanetRefusal { DatanetRefusal(.unprocessable, "policy-out-of-limits", detail) }

    /// What was prepared rests on a state that is gone.
    public static let stale = DatanetRefusal(.stale, "stale", "the Datanet changed meanwhile: it is prepared anew")
}
