/// One reply: a status, header fields and a body.
public struct Response: Sendable {
    /// What follows the head.
    public enum Body: Sendable {
        /// All of it, sent with its length.
        case bytes([UInt8])
        /// Written piece by piece; the reply ends when the closure returns. If it throws, the client sees a reply cut short.
        case stream(@Sendable (BodyWriter) async throws -> Void)
    }

    /// The status code, 200 to 599.
    public var status: Int
    /// The header fields, without those that the transport writes: Content-Length, Transfer-Encoding, Connection, Date.
    public var headers: Headers
    /// The body.
    public var body: Body

    /// Makes a reply.
    public init(status: Int = 200, headers: Headers = Headers(), body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A reply of plain text.
    public init(status: Int = 200, text: String) {
        self.init(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }

    /// Sends each piece as it comes; takes no more from the sequence while the client is behind.
    public init<Pieces: AsyncSequence & Sendable>(status: Int = 200, headers: Headers = Headers(), stream pieces: Pieces)
    where Pieces.Element == [UInt8] {
        self.init(
            status: status, headers: headers,
            body: .stream { writer in
                for try await piece in pieces { try await writer.write(piece) }
            })
    }

    /// Sends server-sent events as they come (WHATWG HTML §9.2).
    public init<Events: AsyncSequence & Sendable>(events: Events) where Events.Element == ServerSentEvent {
        self.init(
            headers: ServerSentEvent.replyHeaders,
            body: .stream { writer in
                for try await event in events { try await writer.write(event.bytes) }
            })
    }
}
