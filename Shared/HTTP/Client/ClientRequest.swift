public import HTTP

/// One request to a server. Redirects are not followed: a 3xx is an answer like another.
public struct ClientRequest: Sendable {
    /// The method, upper case as registered (RFC 9110 §9).
    public var method: String
    /// An absolute `http` or `https` URL in ASCII, percent-encoded, without user information.
    public var url: String
    /// Fields to send. Those that frame the message (Content-Length, Transfer-Encoding, Connection and kin) are the
    /// transport's and refused here.
    public var headers: Headers
    /// What to send.
    public var body: ClientBody
    /// The longest the whole exchange may take, from `send` to the last byte of the body; nil for no limit, as a live
    /// stream wants.
    public var timeout: Duration?
    /// The longest that name look-up, connecting and the TLS handshake may take together.
    public var connectTimeout: Duration
    /// The longest the peer may neither send nor take a byte while it is its turn; nil for no limit. Time that this
    /// side's reader or producer takes does not count.
    public var stallTimeout: Duration?
    /// More body bytes than this end the exchange with `HTTPClientError.bodyTooLarge`. `Int.max` for a live stream.
    public var maximumBodyBytes: Int
    /// Whether the request may be sent once more when a kept connection dies before the first byte of the answer
    /// (RFC 9110 §9.2.2). Nil decides by the method, or that an `Idempotency-Key` is there.
    public var isIdempotent: Bool?

    /// A request with defaults for a call that is answered at once: 30 s in all, 5 s to connect, 16 MiB of body.
    public init(
        method: String = "GET", url: String, headers: Headers = [:], body: ClientBody = .empty,
        timeout: Duration? = .seconds(30), connectTimeout: Duration = .seconds(5), stallTimeout: Duration? = nil,
        maximumBodyBytes: Int = 16 << 20, isIdempotent: Bool? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.maximumBodyBytes = maximumBodyBytes
        self.isIdempotent = isIdempotent
    }

    /// A GET for a stream of server-sent events: no limit on time or length, and the stream fails when the server is
    /// silent (not even a comment) for `silence`.
    public static func serverSentEvents(
        url: String, headers: Headers = [:], lastEventID: String? = nil, silence: Duration? = .seconds(60)
    ) -> ClientRequest {
        var request = ClientRequest(
            url: url, headers: headers, timeout: nil, stallTimeout: silence, maximumBodyBytes: .max)
        request.headers.set("Accept", "text/event-stream")
        request.headers.set("Cache-Control", "no-store")
        if let lastEventID, !lastEventID.isEmpty { request.headers.set("Last-Event-ID", lastEventID) }
        return request
    }

    var mayBeRepeated: Bool {
        if let isIdempotent { return isIdempotent }
        return ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method) || headers["Idempotency-Key"] != nil
    }
}
