/// A kind of problem that a route may answer with: one code, one status, one title for ever.
///
/// On the wire its `type` is `/problems/<code>` (RFC 9457 §3.1.1), which the application serves with the title and what to do.
public struct ProblemType: Sendable, Hashable {
    /// The last part of the type's address: lower-case words with dashes.
    public let code: String
    /// The status of every answer with this problem.
    public let status: Int
    /// A few words that do not vary.
    public let title: String

    /// A problem of one's own: `ProblemType("stream-version-conflict", 409, "The stream has moved on")`.
    public init(_ code: String, _ status: Int, _ title: String) {
        self.code = code
        self.status = status
        self.title = title
    }

    /// The value of `type` on the wire.
    public var address: String { "/problems/\(code)" }
}

extension ProblemType {
    /// The path has an encoding or a segment that is refused.
    public static let badPath = ProblemType("bad-path", 400, "The path cannot be read")
    /// A query parameter is unknown, repeated, missing or out of bounds.
    public static let badQuery = ProblemType("bad-query", 400, "The query does not fit the route")
    /// A header field has a value that cannot be used.
    public static let badHeader = ProblemType("bad-header", 400, "A header field cannot be used")
    /// The body is no JSON, or not what the route's schema says.
    public static let badBody = ProblemType("bad-body", 400, "The body does not fit the route")
    /// The route needs an Idempotency-Key.
    public static let keyMissing = ProblemType("idempotency-key-missing", 400, "Idempotency-Key is missing")
    /// The Idempotency-Key cannot be read.
    public static let keyInvalid = ProblemType("idempotency-key-invalid", 400, "Idempotency-Key is not valid")
    /// No credential, or one that proves nothing.
    public static let unauthenticated = ProblemType("unauthenticated", 401, "Authentication is needed")
    /// The caller is known and may not do this.
    public static let forbidden = ProblemType("forbidden", 403, "Not allowed")
    /// Nothing lies at the path.
    public static let notFound = ProblemType("not-found", 404, "Not found")
    /// The path has other methods.
    public static let methodNotAllowed = ProblemType("method-not-allowed", 405, "Method not allowed")
    /// The request did not come in time.
    public static let requestTimeout = ProblemType("request-timeout", 408, "The request took too long")
    /// A command of this id is still running.
    public static let commandInFlight = ProblemType("command-in-flight", 409, "The same command is still running")
    /// What was asked for contradicts the present state.
    public static let conflict = ProblemType("conflict", 409, "Conflict")
    /// The body is longer than the route takes.
    public static let bodyTooLarge = ProblemType("body-too-large", 413, "The body is too large")
    /// The body is of another media type than the route takes.
    public static let unsupportedMediaType = ProblemType("unsupported-media-type", 415, "Unsupported media type")
    /// A command id came again with another body.
    public static let keyReused = ProblemType("idempotency-key-reused", 422, "Idempotency-Key was used for another request")
    /// The request can be read and cannot be done.
    public static let unprocessable = ProblemType("unprocessable", 422, "The request cannot be carried out")
    /// Too many requests, or too many failed authentications.
    public static let tooManyRequests = ProblemType("too-many-requests", 429, "Too many requests")
    /// A fault of ours.
    public static let `internal` = ProblemType("internal", 500, "Internal error")
    /// The service cannot answer now and says so.
    public static let unavailable = ProblemType("unavailable", 503, "Not available now")
    /// The work took longer than the route's deadline.
    public static let deadlineExceeded = ProblemType("deadline-exceeded", 503, "The answer took too long")

    /// The types that the rules common to all routes can answer with.
    static let common: [ProblemType] = [
        .badPath, .badQuery, .badHeader, .badBody, .keyMissing, .keyInvalid, .unauthenticated, .forbidden, .notFound, .methodNotAllowed,
        .requestTimeout, .commandInFlight, .conflict, .bodyTooLarge, .unsupportedMediaType, .keyReused, .unprocessable, .tooManyRequests,
        .internal, .unavailable, .deadlineExceeded,
    ]

    /// The type for an error that has only a status: the transport's own.
    static func of(status: Int) -> ProblemType {
        switch status {
        case 401: .unauthenticated
        case 403: .forbidden
        case 404: .notFound
        case 405: .methodNotAllowed
        case 408: .requestTimeout
        case 409: .conflict
        case 413: .bodyTooLarge
        case 415: .unsupportedMediaType
        case 422: .unprocessable
        case 429: .tooManyRequests
        case 503: .unavailable
        case 400..<500: ProblemType("bad-request", status, "Bad request")
        default: .internal
        }
    }
}
