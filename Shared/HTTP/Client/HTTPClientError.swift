/// Why an exchange failed. Descriptions name the server, never the path or query, which may carry secrets.
public enum HTTPClientError: Error, Sendable, Hashable {
    /// Which limit of the request ran out.
    public enum Timeout: String, Sendable, Hashable {
        /// `connectTimeout`.
        case connect
        /// `timeout`.
        case whole
        /// `stallTimeout`.
        case stall
    }

    /// The request or its use breaks a rule; nothing was sent.
    case invalidRequest(String)
    /// The host's name has no address.
    case resolveFailed(String)
    /// Nobody accepted the connection.
    case connectFailed(String)
    /// TLS could not be agreed or the certificate is not trusted.
    case tls(String)
    /// A limit on time ran out; `sent` says whether the request may have been on its way.
    case timedOut(Timeout, server: String, sent: Bool)
    /// The response has more bytes than the request allows.
    case bodyTooLarge(limit: Int)
    /// Anything else between the two sides; `code` is libcurl's, or 0 for the in-process transport.
    case transport(code: Int32, text: String, sent: Bool)
    /// The awaiting task was cancelled, or the body dropped.
    case cancelled
    /// The transport was closed.
    case closed

    /// Whether the same request may well succeed a moment later. Look at `mayHaveReachedServer` too before a request
    /// that is not idempotent is repeated.
    public var isRetriable: Bool {
        switch self {
        case .resolveFailed, .connectFailed, .timedOut, .transport: true
        case .invalidRequest, .tls, .bodyTooLarge, .cancelled, .closed: false
        }
    }

    /// Whether the server may have seen some of the request, and so may have acted on it. In doubt it is true.
    public var mayHaveReachedServer: Bool {
        switch self {
        case .invalidRequest, .resolveFailed, .connectFailed, .tls: false
        case .timedOut(_, _, let sent), .transport(_, _, let sent): sent
        case .bodyTooLarge, .cancelled, .closed: true
        }
    }
}

extension HTTPClientError: CustomStringConvertible {
    /// One line for a log or a person.
    public var description: String {
        switch self {
        case .invalidRequest(let text): "invalid HTTP request: \(text)"
        case .resolveFailed(let text): "cannot resolve: \(text)"
        case .connectFailed(let text): "cannot connect: \(text)"
        case .tls(let text): "TLS failed: \(text)"
        case .timedOut(.connect, let server, _): "\(server) did not accept a connection in time"
        case .timedOut(.whole, let server, _): "\(server) did not answer in full in time"
        case .timedOut(.stall, let server, _): "\(server) went silent in the middle of an exchange"
        case .bodyTooLarge(let limit): "the response is larger than the \(limit) bytes allowed"
        case .transport(let code, let text, _): "HTTP exchange failed (\(code)): \(text)"
        case .cancelled: "the HTTP exchange was cancelled"
        case .closed: "the HTTP client is closed"
        }
    }
}
