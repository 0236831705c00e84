/// One request: its head, and its body as it comes in.
public struct Request: Sendable {
    /// The method, in capitals.
    public var method: String
    /// The request target in origin form ("/path?query"), not decoded, or "*".
    public var target: String
    /// The header fields.
    public var headers: Headers
    /// The body. It has one reader.
    public var body: RequestBody
    /// Who asks, with the word of trusted proxies applied; nil where there is no connection.
    public var peer: Peer?

    /// Makes a request, for a test or for a transport within the process.
    public init(
        method: String = "GET", target: String, headers: Headers = Headers(), body: RequestBody = RequestBody([]), peer: Peer? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
    }

    /// The target up to its first "?", still percent-encoded: whoever splits it decodes the parts, so that "%2F" stays
    /// within its part.
    public var path: Substring { target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)] }

    /// The target behind its first "?", still encoded; nil without one.
    public var query: Substring? {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return target[target.utf8.index(after: mark)...]
    }
}

/// Answers one request. Its task is cancelled when the client goes or the server gives up waiting.
public typealias Handler = @Sendable (Request) async throws -> Response
