public import HTTP

/// Carries requests to a handler in the same process, without a socket: services that run embedded call each other by
/// the same typed clients, through the same routing and the same checks.
///
/// Both bodies stream with back-pressure. The handler's task is cancelled when the caller's task is, when its time is
/// up, and when the answer's body is dropped; its writer then sees `Disconnected`. An `HTTPError` that the handler
/// throws becomes an answer of that status, any other error a 500, as over a socket. `connectTimeout` and
/// `stallTimeout` mean nothing here: handler and caller are one process.
public final class InProcessTransport: Transport {
    private let handler: Handler
    private let deadlines = Deadlines()

    /// A transport to `handler`, whatever host a request's URL names.
    public init(handler: @escaping Handler) {
        self.handler = handler
    }

    /// Sends a request; see `Transport`.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        try request.validate()
        let exchange = InProcessExchange(request, deadlines)
        return try await withTaskCancellationHandler {
            try await exchange.run(handler)
        } onCancel: {
            exchange.abort(HTTPClientError.cancelled)
        }
    }
}
