public import HTTP

/// One route: where it lies, who may use it, what it takes, what it answers, and the function that answers.
///
/// All but the function is data. The application acts on the data (it authenticates, reads, checks, bounds) and writes the OpenAPI document
/// from the same data.
public struct Route: Sendable {
    /// The method; GET also answers HEAD.
    public let method: Method
    /// The path, such as `/log/v1/streams/{kind}/{id}`; `{name...}` at the end takes the rest.
    public let pattern: String
    /// A name that no other route has, in camel case: `appendEvents`. The OpenAPI `operationId`.
    public let operation: String
    /// One line for people.
    public let summary: String
    /// Who may use it.
    public let access: Access
    /// What the path's parameters may be; 1 to 255 characters where nothing is said.
    public let path: [String: Schema]
    /// The query parameters that it takes.
    public let query: [QueryParameter]
    /// Header fields that it reads beside those that all routes read: name and meaning, for the document.
    public let headers: [(name: String, summary: String)]
    /// The body that it takes.
    public let body: BodyRule
    /// Whether it takes an `Idempotency-Key`.
    public let idempotency: Idempotency
    /// The replies when all is well.
    public let replies: [Reply]
    /// The problems that the handler itself may answer with; those of the common rules are added.
    public let problems: [ProblemType]
    /// How long the handler may take until it has a reply's head, shorter or longer than the server's own deadline; nil leaves it to that.
    public let deadline: Duration?
    /// Whether the handler does so little between its waits that to wake a thread for it costs more: such a one may be run by the thread
    /// that serves its connection.
    public let isBrief: Bool
    /// How errors look.
    public let errors: ErrorStyle
    /// Answers.
    public let handler: @Sendable (RequestContext) async throws -> Response

    /// Makes a route. `access` has no default: what is open to all says so.
    public init(
        _ method: Method, _ pattern: String, operation: String, summary: String, access: Access, path: [String: Schema] = [:],
        query: [QueryParameter] = [], headers: [(name: String, summary: String)] = [], body: BodyRule = .none,
        idempotency: Idempotency = .none, replies: [Reply], problems: [ProblemType] = [], deadline: Duration? = nil,
        isBrief: Bool = false, errors: ErrorStyle = .problem, handler: @escaping @Sendable (RequestContext) async throws -> Response
    ) {
        self.method = method
        self.pattern = pattern
        self.operation = operation
        self.summary = summary
        self.access = access
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.idempotency = idempotency
        self.replies = replies
        self.problems = problems
        self.deadline = deadline
        self.isBrief = isBrief
        self.errors = errors
        self.handler = handler
    }

    /// Everything it may answer with that is an error: its own problems and those of the rules that apply to it.
    var allProblems: [ProblemType] {
        var all: [ProblemType] = [.badPath, .badQuery, .badHeader, .requestTimeout, .internal, .unavailable]
        switch access {
        case .public: break
        default: all += [.unauthenticated, .forbidden, .tooManyRequests]
        }
        if !body.types.isEmpty { all += [.badBody, .bodyTooLarge, .unsupportedMediaType] } else { all.append(.badBody) }
        if case .none = idempotency {} else { all += [.keyMissing, .keyInvalid, .commandInFlight, .keyReused] }
        if deadline != nil { all.append(.deadlineExceeded) }
        for problem in problems where !all.contains(problem) { all.append(problem) }
        return all
    }
}
