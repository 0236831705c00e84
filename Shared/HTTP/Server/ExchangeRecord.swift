public import HTTP

/// One finished exchange, for the access log. Bytes are payload, without heads and chunk lines.
public struct ExchangeRecord: Sendable {
    /// The method; empty when the request could not be read.
    public let method: String
    /// The target, in origin form; empty when the request could not be read.
    public let target: String
    /// The status sent; 0 when the connection ended before one was.
    public let status: Int
    /// Bytes of the request's body.
    public let bytesReceived: Int
    /// Bytes of the reply's body that were queued for the client.
    public let bytesSent: Int
    /// From the end of the request's head until the reply was handed over or given up.
    public let duration: Duration
    /// Who asked.
    public let peer: Peer?
    /// Why the exchange did not end as it should; nil when it did. For operators: it may hold what a handler's error says.
    public let reason: String?
}
