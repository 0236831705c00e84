internal import AgentEconomyService
internal import HTTP
internal import JSON
internal import Web

extension ErrorStyle {
    /// `{"error": {"message", "type", "param", "code"}}`, as OpenAI's clients read it.
    static let openAI = ErrorStyle(type: "application/json") { problem, place in
        let parameter = problem.field.map { field in
            String(field.drop { $0 == "#" || $0 == "/" }).split(separator: "/").joined(separator: ".")
        }
        var headers = problem.headers
        headers.set("Content-Type", "application/json")
        return Response(
            status: problem.status, headers: headers,
            body: .bytes(
                JSON.write([
                    "error": [
                        "message": .string(problem.detail), "type": .string(openAIKind(of: problem)),
                        "param": parameter.map { .string($0) } ?? .null,
                        "code": .string(openAICode(of: problem)),
                    ]
                ])))
    }

    /// OpenAI's type of an error.
    static func openAIKind(of problem: Problem) -> String {
        switch problem.status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 402: "insufficient_quota"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    /// OpenAI's code of an error.
    static func openAICode(of problem: Problem) -> String { problem.type.code.split(separator: "-").joined(separator: "_") }
}

/// Problems that OpenAI's clients know by their code.
enum OpenAIProblems {
    static let unknownModel = ProblemType("model-not-found", 404, "There is no such model")
    static let noMoney = ProblemType("insufficient-quota", 402, "The payer's balance does not cover it")
    static let upstream = ProblemType("upstream-failed", 502, "The model could not answer")
    static let refused = ProblemType("model-refused", 400, "The model does not take the request")
    static let tooLong = ProblemType("context-length-exceeded", 400, "The conversation is longer than the model reads")
    static let rateLimit = ProblemType("rate-limit-exceeded", 429, "A limit is used up for now")
    static let overloaded = ProblemType("overloaded", 503, "Too much is going on")
    static let all =
        [unknownModel, noMoney, upstream, refused, tooLong, rateLimit, overloaded, .forbidden, .notFound] + SpendingDesk.problems
}
