public import AgentEconomyDomain
internal import Events
internal import JSON
internal import Money
internal import ServiceShell
public import Web

/// What the economy's refusals are on the wire.
enum EconomyProblems {
    static let invalid = ProblemType("invalid-value", 422, "A value is not what it must be")
    static let ended = ProblemType("mandate-ended", 403, "The mandate does not hold any more")
    static let exceeded = ProblemType("mandate-exceeded", 403, "A limit of the mandate is exceeded")
    static let refused = ProblemType("mandate-refuses", 403, "The mandate does not allow it")
    static let approval = ProblemType("approval-needed", 403, "A human has to confirm it")
    static let state = ProblemType("wrong-state", 409, "The state that it is in does not allow it")
    static let noMoney = ProblemType("insufficient-quota", 402, "The payer's balance does not cover it")
    static let signature = ProblemType("bad-signature", 401, "The signature does not fit")
    static let unsellable = ProblemType("not-for-sale", 409, "It cannot be bought this way")
    /// Of a payment under a mandate.
    static let ofSpending = [ended, exceeded, refused, approval]
    static let all = [ProblemType.notFound, .forbidden, invalid, state] + ofSpending + DecisionProblems.all
}

/// What any decision may answer.
enum DecisionProblems {
    static let all: [ProblemType] = [
        .keyReused, ProblemType("stopped", 503, "The service has stopped at an event"), ProblemType("busy", 503, "Too much is going on"),
        ProblemType("log-unavailable", 503, "The log is not available"),
    ]
}

extension EconomyError: ProblemConvertible {
    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .notFound: Problem(.notFound, description)
        case .forbidden: Problem(.forbidden, description)
        case .invalid(let field, _): Problem(EconomyProblems.invalid, description, field: field)
        case .notLive(let mandate, _): Problem(EconomyProblems.ended, description, members: [("mandate", .string(mandate))])
        case .exceeds(_, let mandate, _, let left):
            Problem(EconomyProblems.exceeded, description, members: [("mandate", .string(mandate)), ("left", left.json)])
        case .notAllowed(let mandate, _): Problem(EconomyProblems.refused, description, members: [("mandate", .string(mandate))])
        case .needsApproval(let mandate, _): Problem(EconomyProblems.approval, description, members: [("mandate", .string(mandate))])
        case .wrongState: Problem(EconomyProblems.state, description)
        case .badSignature: Problem(EconomyProblems.signature, description, field: "#/signature")
        case .money: Problem(EconomyProblems.invalid, description)
        }
    }
}
