public import HTTP

/// Server-sent events (WHATWG HTML §9.2) as a route's reply.
public enum SSE {
    /// The declaration of `Last-Event-ID` for a route's `headers`.
    public static let lastEventIDHeader = (
        name: "Last-Event-ID", summary: "The id of the last event that came; the stream goes on behind it."
    )

    /// A reply that sends each event as it comes, and a comment line when nothing has come for `heartbeat`, so that proxies keep the
    /// connection and a client's disappearance is seen. Ends when the sequence ends; the sequence's iterator is cancelled when the client goes.
    public static func response<Events: AsyncSequence & Sendable>(
        _ events: Events, heartbeat: Duration = .seconds(15)
    ) -> Response where Events.Element == ServerSentEvent {
        Response(
            headers: ServerSentEvent.replyHeaders,
            body: .stream { writer in
                let pulse = Pulse(writer)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while true {
                            try await Task.sleep(for: heartbeat)
                            try await pulse.beat(after: heartbeat)
                        }
                    }
                    group.addTask {
                        for try await event in events { try await pulse.send(event.bytes) }
                    }
                    // Only the events can end by themselves; the heart stops with them.
                    defer { group.cancelAll() }
                    try await group.next()
                }
            })
    }

    /// The `Last-Event-ID` of a client that comes back, as a position; nil when it sends none.
    /// - Throws: `Problem` 400 when it is no whole number: whoever sends another id has not got it from us.
    public static func lastPosition(_ request: Request) throws(Problem) -> UInt64? {
        guard let text = request.headers["Last-Event-ID"], !text.isEmpty else { return nil }
        guard let position = UInt64(text), String(position) == text else {
            throw Problem(.badHeader, "Last-Event-ID must be the id of an event of this stream", field: "Last-Event-ID")
        }
        return position
    }
}

/// Lets the events and the heartbeat take turns at the writer, which has one caller at a time, and keeps the heart quiet while events flow.
private actor Pulse {
    private let writer: BodyWriter
    private var last = ContinuousClock.now
    private var isSending = false
    private var isBeating = false
    private var waiting: CheckedContinuation<Void, Never>?

    init(_ writer: BodyWriter) { self.writer = writer }

    func send(_ bytes: [UInt8]) async throws {
        // A beat ends by itself, or with the client; so does this wait.
        if isBeating { await withCheckedContinuation { waiting = $0 } }
        isSending = true
        defer {
            isSending = false
            last = .now
        }
        try await writer.write(bytes)
    }

    func beat(after interval: Duration) async throws {
        // While a write waits for a slow reader a heartbeat would only wait behind it.
        if isSending || ContinuousClock.now - last < interval { return }
        isBeating = true
        defer {
            isBeating = false
            waiting.take()?.resume()
        }
        try await writer.write(ServerSentEvent.heartbeat)
    }
}
