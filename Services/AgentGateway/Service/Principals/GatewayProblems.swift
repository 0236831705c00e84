public import AgentGatewayDomain
internal import Money
internal import ServiceShell
public import Web

/// What the gateway's refusals are on the wire.
enum GatewayProblems {
    static let invalid = ProblemType("invalid-value", 422, "A value is not what it must be")
    static let signature = ProblemType("bad-signature", 401, "The signature does not fit")
    static let exists = ProblemType("exists", 409, "It exists already")
    static let erased = ProblemType("erased", 410, "The content was erased")
    static let unreadable = ProblemType("content-unreadable", 422, "The content cannot be read")
    static let all = [ProblemType.notFound, .forbidden, invalid, signature, exists]
}

extension GatewayError: ProblemConvertible {
    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .notFound: Problem(.notFound, description)
        case .forbidden: Problem(.forbidden, description)
        case .invalid(let field, _): Problem(GatewayProblems.invalid, description, field: field)
        case .badSignature: Problem(GatewayProblems.signature, description)
        case .exists, .keptTooLong: Problem(GatewayProblems.exists, description)
        }
    }
}
