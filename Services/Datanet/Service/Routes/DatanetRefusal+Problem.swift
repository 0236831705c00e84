public import DatanetDomain
internal import HTTP
internal import JSON
public import Web

extension DatanetRefusal: ProblemConvertible {
    /// The answer it becomes; the member `rule` names the rule for programs.
    public var problem: Problem {
        let type: ProblemType =
            switch kind {
            case .notFound: .notFound
            case .forbidden: .forbidden
            case .conflict, .stale: .conflict
            case .unprocessable: .unprocessable
            }
        return Problem(type, detail, members: [("rule", .string(code))])
    }
}
