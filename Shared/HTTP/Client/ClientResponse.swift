public import HTTP

/// A server's answer: the head is here, the body is still to be read.
public struct ClientResponse: Sendable {
    /// The status code, 200…599 (interim 1xx answers are passed over).
    public let status: Int
    /// The fields of the head.
    public let headers: Headers
    /// The body. Read it to its end to keep the connection; dropping it unread gives the exchange up.
    public let body: ResponseBody

    /// An answer, as a transport or a test makes it.
    public init(status: Int, headers: Headers = [:], body: ResponseBody = ResponseBody()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
