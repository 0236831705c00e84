internal import HTTP

/// The events of a streamed answer. It ends when the server ends the stream; connecting anew is the caller's, who
/// knows what to resume after.
public struct ServerSentEvents: AsyncSequence, Sendable {
    /// One event.
    public typealias Element = Event
    /// `HTTPClientError` or `ServerSentEventError`.
    public typealias Failure = any Error

    private let body: ResponseBody
    private let parser: ServerSentEventParser

    /// Reads events from `body`, from its start.
    public init(_ body: ResponseBody, parser: ServerSentEventParser = ServerSentEventParser()) {
        self.body = body
        self.parser = parser
    }

    /// Reads events from an answer.
    /// - Throws: `ServerSentEventError.notAnEventStream` unless the status is 200 and the type `text/event-stream`.
    public init(
        _ response: ClientResponse, parser: ServerSentEventParser = ServerSentEventParser()
    ) throws(ServerSentEventError) {
        let type = response.headers["content-type"]
        let media = type?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard response.status == 200, media == "text/event-stream" else {
            throw .notAnEventStream(status: response.status, contentType: type)
        }
        self.init(response.body, parser: parser)
    }

    /// Starts reading.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: body.makeAsyncIterator(), parser: parser) }

    /// Reads events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var body: ResponseBody.AsyncIterator
        var parser: ServerSentEventParser
        var ready: [Event] = []
        var position = 0

        /// The next event, or nil when the server has ended the stream.
        public mutating func next() async throws -> Event? {
            while position == ready.count {
                guard let chunk = try await body.next() else { return nil }
                ready = try parser.feed(chunk)
                position = 0
            }
            defer { position += 1 }
            return ready[position]
        }
    }
}
