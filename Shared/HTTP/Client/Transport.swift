/// Something that carries a request to a server and brings the answer back.
public protocol Transport: Sendable {
    /// Sends `request` and returns when the head of the answer is here; the body streams after it. Every status is an
    /// answer, an error is only thrown when there is none. Cancelling the task ends the exchange.
    /// - Throws: `HTTPClientError`, or what the request's own body stream threw.
    func send(_ request: ClientRequest) async throws -> ClientResponse
}
