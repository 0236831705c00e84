public import HTTP
public import JSON

/// An error that tells the caller what is wrong and where: RFC 9457 problem details.
///
///     throw Problem(.notFound, "there is no stream \(id)", field: "id")
///
/// What a handler throws that is no `Problem`, `ProblemConvertible` or `HTTPError` becomes a bare 500, and its words go to the log only.
public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
    /// One fault among several, such as of a body with three bad members.
    public struct Fault: Sendable, Equatable {
        /// Where: a JSON Pointer (RFC 6901) into the body as a URI fragment (`#/data/amount`), or a parameter's name.
        public let field: String
        /// What is wrong there.
        public let detail: String

        /// Makes a fault.
        public init(field: String, detail: String) {
            self.field = field
            self.detail = detail
        }
    }

    /// What kind of problem.
    public let type: ProblemType
    /// What is wrong this time, in words for the caller. It is sent: put no secret in it.
    public var detail: String
    /// The parameter, header or part of the body that is at fault.
    public var field: String?
    /// Each single fault, when there are several.
    public var errors: [Fault]
    /// Further members of the document, such as the version that a stream is at.
    public var members: [(name: String, value: JSONValue)]
    /// Header fields of the answer, such as `Retry-After`.
    public var headers: Headers

    /// Makes a problem.
    public init(
        _ type: ProblemType, _ detail: String, field: String? = nil, errors: [Fault] = [], members: [(name: String, value: JSONValue)] = [],
        headers: Headers = [:]
    ) {
        self.type = type
        self.detail = detail
        self.field = field
        self.errors = errors
        self.members = members
        self.headers = headers
    }

    /// The status of the answer.
    public var status: Int { type.status }

    /// `409 conflict: …`.
    public var description: String { "\(type.status) \(type.code): \(detail)" }

    /// The same type, detail, field and faults; further members and header fields do not count.
    public static func == (left: Problem, right: Problem) -> Bool {
        left.type == right.type && left.detail == right.detail && left.field == right.field && left.errors == right.errors
    }
}

extension Problem {
    /// What a body's reader found wrong. Said explicitly by routes that read the caller's body: the same error thrown while reading a document
    /// of our own is a fault of ours and becomes a 500.
    public init(body error: JSONError) { self.init(.badBody, error.description, field: "#\(error.pointer)") }

    /// What a body's decoder found wrong.
    public init(body error: JSONFieldError) { self.init(.badBody, error.description, field: "#\(error.pointer)") }
}

/// An error of a room that knows nothing of HTTP and that a service gives a face on the wire, by an extension in its routes.
public protocol ProblemConvertible: Error {
    /// The answer it becomes.
    var problem: Problem { get }
}

/// An error that is the caller's to know in some cases, and the operator's alone in the others.
public protocol SometimesProblem: Error {
    /// The answer it becomes; nil when its words must not leave the house.
    var problemIfAny: Problem? { get }
}
