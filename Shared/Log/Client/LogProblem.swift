internal import Crypto
internal import Events
public import JSON

/// How a ``LogError`` looks as problem+json (RFC 9457), and back.
extension LogError {
    /// The status and the members beside `type`, `title` and `status`.
    public var wireForm: (code: String, status: Int, title: String, members: [(String, JSONValue)]) {
        switch self {
        case .invalid(let index, let error):
            let status = error.kind == .tooLarge ? 413 : error.kind == .foreignNamespace ? 403 : 422
            return (
                error.kind.rawValue, status, "The event can't stand on the log",
                [("index", .int(Int64(index))), ("field", .string("/events/\(index)\(error.field)")), ("reason", .string(error.reason))]
            )
        case .malformed(let field, let reason):
            return ("malformed-append", 400, "The request is not an append", [("field", .string(field)), ("reason", .string(reason))])
        case .wrongVersion(let stream, let expected, let actual):
            let wanted: JSONValue =
                switch expected {
                case .any: "any"
                case .none: "none"
                case .exact(let version): .int(Int64(clamping: version))
                }
            return (
                "wrong-version", 409, "The stream is not at the expected version",
                [("stream", .string(stream.text)), ("expected", wanted), ("actual", .int(Int64(clamping: actual)))]
            )
        case .conflict(let conflict):
            return (
                "command-conflict", 422, "The command id was used with another body",
                [
                    ("command", .string(conflict.command)), ("position", .int(Int64(clamping: conflict.position))),
                    ("first_digest", conflict.firstDigest.map { .string($0.prefixed) } ?? .null),
                    ("digest", conflict.digest.map { .string($0.prefixed) } ?? .null),
                    ("differences", .array(conflict.differences.map { .string($0) })),
                ]
            )
        case .notFound(let what): return ("log-not-found", 404, "The log has no such thing", [("what", .string(what))])
        case .notLeader(let reason): return ("not-leader", 503, "This ledger does not write", [("reason", .string(reason))])
        case .busy: return ("log-busy", 503, "Too many appends are waiting", [])
        case .unavailable(let reason): return ("log-unavailable", 503, "The log is not available", [("reason", .string(reason))])
        }
    }

    /// The error that a problem of this code stands for; nil when the members do not fit.
    public init?(code: String, members: JSONObject) {
        let fields = JSONFields(members)
        let reason = (try? fields.string("reason")) ?? ""
        if let kind = EventError.Kind(rawValue: code) {
            guard let index = try? fields.int("index") else { return nil }
            let field = ((try? fields.string("field")) ?? "").split(separator: "/").dropFirst(2).map { "/" + $0 }.joined()
            self = .invalid(index: index, EventError(kind, field: field, reason))
            return
        }
        switch code {
        case "malformed-append": self = .malformed(field: (try? fields.string("field")) ?? "", reason: reason)
        case "wrong-version":
            guard let stream = (try? fields.string("stream")).flatMap({ StreamName($0) }), let actual = try? fields.int("actual") else {
                return nil
            }
            let expected: ExpectedVersion =
                switch members["expected"] {
                case .int(let version): .exact(UInt64(max(0, version)))
                case .string("none"): .none
                default: .any
                }
            self = .wrongVersion(stream: stream, expected: expected, actual: UInt64(max(0, actual)))
        case "command-conflict":
            guard let command = try? fields.string("command"), let position = try? fields.int("position") else { return nil }
            self = .conflict(
                CommandConflict(
                    command: command, position: UInt64(max(0, position)),
                    firstDigest: (try? fields.string("first_digest")).flatMap { Digest(prefixed: $0) },
                    digest: (try? fields.string("digest")).flatMap { Digest(prefixed: $0) },
                    differences: (try? fields.array("differences").map { try $0.string() }) ?? []))
        case "log-not-found": self = .notFound((try? fields.string("what")) ?? "such thing")
        case "not-leader": self = .notLeader(reason)
        case "log-busy": self = .busy
        case "log-unavailable": self = .unavailable(reason)
        default: return nil
        }
    }
}
