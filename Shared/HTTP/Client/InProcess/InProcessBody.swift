internal import HTTP

/// The reader's end of a streamed reply: when nobody holds it any longer, the handler is cancelled.
final class InProcessBody: BodySource {
    private let exchange: InProcessExchange
    private let answer: BodyChannel

    init(_ exchange: InProcessExchange, _ answer: BodyChannel) {
        self.exchange = exchange
        self.answer = answer
    }

    deinit { exchange.abort(HTTPClientError.cancelled) }

    func next() async throws -> [UInt8]? {
        do {
            return try await answer.next()
        } catch is CancellationError {
            exchange.abort(HTTPClientError.cancelled)
            throw HTTPClientError.cancelled
        }
    }
}
