/// How much of a request is accepted. What is longer is answered with the status given and the connection closed.
public struct Limits: Sendable {
    /// Bytes of the request line; else 414.
    public var requestLine = 8 << 10
    /// Bytes of request line and fields together; else 431.
    public var headBytes = 16 << 10
    /// Header fields; else 431.
    public var headerCount = 100
    /// Bytes of one request's body; else 413.
    public var body = 1 << 20
    /// Bytes of chunk extensions within one body, which are checked and dropped; else 431.
    public var chunkExtensions = 1 << 10
    /// Bytes of trailer fields, which are checked and dropped; else 431.
    public var trailerBytes = 4 << 10

    /// The defaults.
    public init() {}
}
