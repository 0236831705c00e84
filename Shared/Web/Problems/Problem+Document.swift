internal import HTTP
internal import JSON

extension Problem {
    /// The problem+json document: RFC 9457's members, then ours.
    func document(at place: ErrorStyle.Place) -> JSONValue {
        var object = JSONObject()
        for (name, value) in members { object[name] = value }
        object["type"] = .string(type.address)
        object["title"] = .string(type.title)
        object["status"] = .int(Int64(status))
        object["detail"] = .string(detail)
        object["instance"] = .string(place.instance)
        object["requestId"] = .string(place.requestID)
        if let field { object["field"] = .string(field) }
        if !errors.isEmpty {
            object["errors"] = .array(errors.map { ["field": .string($0.field), "detail": .string($0.detail)] })
        }
        return .object(object)
    }

    /// The document's schema, for OpenAPI and for checking replies.
    static let schema = Schema.named(
        "Problem",
        .openObject(
            .required("type", .text, "What kind of problem, an address relative to this server."),
            .required("title", .text, "The kind in a few words."),
            .required("status", .integer(400...599), "The status of the answer."),
            .required("detail", .text(0...65_536), "What is wrong this time."),
            .required("instance", .text(0...16_384), "The path that was asked for."),
            .required("requestId", .text, "The id under which the service logged the request."),
            .optional("field", .text, "The parameter, header or part of the body at fault."),
            .optional(
                "errors", .list(.openObject(.required("field", .text(0...16_384)), .required("detail", .text(0...65_536)))),
                "Every single fault, when there are several.")))

    /// The problem that an error thrown anywhere behind a route becomes; nil when its words must not leave the house.
    static func of(_ error: any Error) -> Problem? {
        switch error {
        case let problem as Problem: problem
        case let convertible as any ProblemConvertible: convertible.problem
        case let sometimes as any SometimesProblem: sometimes.problemIfAny
        case let http as HTTPError:
            Problem(ProblemType.of(status: http.status), http.reason.isEmpty ? ProblemType.of(status: http.status).title : http.reason)
        default: nil
        }
    }
}
