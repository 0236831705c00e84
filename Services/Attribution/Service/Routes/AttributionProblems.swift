public import AttributionDomain
internal import Decisions
internal import HTTP
internal import ServiceShell
public import Web

/// What the routes of attribution answer with when they cannot do what was asked.
enum AttributionProblems {
    static let tooLong = ProblemType("text-too-long", 413, "The text is too long")
    static let notTraceable = ProblemType("not-traceable", 409, "The snapshot has no index yet")
    static let all = [ProblemType.notFound, .forbidden, .unprocessable, .unavailable, tooLong, notTraceable] + DecisionError.problemTypes
}

extension AttributionTrouble: ProblemConvertible {
    /// The answer it becomes.
    var problem: Problem { Problem(.unavailable, description, headers: ["Retry-After": "10"]) }
}

extension AttributionError: ProblemConvertible {
    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .textTooLong: Problem(AttributionProblems.tooLong, description, field: "text")
        default: Problem(.unprocessable, description)
        }
    }
}
