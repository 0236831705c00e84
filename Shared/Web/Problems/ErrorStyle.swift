public import HTTP
internal import JSON

/// How a route's errors look on the wire. Our own paths have RFC 9457; paths of other protocols have theirs.
public struct ErrorStyle: Sendable {
    /// What a renderer knows of the request.
    public struct Place: Sendable {
        /// The request's path, as it came.
        public let instance: String
        /// The request's id.
        public let requestID: String
        /// The host that the request was sent to, as it says.
        public let host: String?
    }

    /// The media type of an error.
    public let type: String
    /// Makes the answer.
    public let render: @Sendable (Problem, Place) -> Response

    /// A style of another protocol.
    public init(type: String, render: @escaping @Sendable (Problem, Place) -> Response) {
        self.type = type
        self.render = render
    }

    /// `application/problem+json` (RFC 9457).
    public static let problem = ErrorStyle(type: "application/problem+json") { problem, place in
        var headers = problem.headers
        headers.set("Content-Type", "application/problem+json")
        return Response(status: problem.status, headers: headers, body: .bytes(JSON.write(problem.document(at: place))))
    }
}
