package import HTTP

/// How a request's body is delimited (RFC 9112 §6).
package enum Framing: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
}

/// The head of one request, checked.
package struct Head: Sendable {
    package let method: String
    /// In origin form (an absolute form is reduced to it) or "*".
    package let target: String
    package let minorVersion: Int
    package let headers: Headers
    package let framing: Framing
    package let keepAlive: Bool
    package let expectsContinue: Bool
}
