/// One event of a `text/event-stream` (WHATWG HTML §9.2).
public struct ServerSentEvent: Sendable, Hashable {
    /// The type; a client takes "message" when there is none.
    public var event: String?
    /// What a client that comes back sends as `Last-Event-ID`.
    public var id: String?
    /// What it carries; may have several lines.
    public var data: String

    /// Makes an event.
    public init(event: String? = nil, id: String? = nil, data: String) {
        self.event = event
        self.id = id
        self.data = data
    }

    /// A line that clients ignore, to keep a quiet connection alive through proxies.
    public static let heartbeat: [UInt8] = Array(":\n\n".utf8)

    /// The header fields of a reply that carries events. `X-Accel-Buffering` asks nginx to pass each event on at once.
    public static let replyHeaders: Headers = [
        "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
    ]

    /// The event on the wire. Line ends within `data` start a new `data:` line; a type or an id ends at its first line end,
    /// or a value from outside could forge an event.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(data.utf8.count + 32)
        if let event { Self.line("event: ", event, into: &out) }
        if let id { Self.line("id: ", id, into: &out) }
        out.append(contentsOf: "data: ".utf8)
        var afterReturn = false
        for byte in data.utf8 {
            let isLineFeed = byte == 10
            if isLineFeed && afterReturn {
                afterReturn = false
                continue
            }
            afterReturn = byte == 13
            if isLineFeed || afterReturn { out.append(contentsOf: "\ndata: ".utf8) } else { out.append(byte) }
        }
        out.append(contentsOf: "\n\n".utf8)
        return out
    }

    private static func line(_ name: String, _ value: String, into out: inout [UInt8]) {
        out.append(contentsOf: name.utf8)
        out.append(contentsOf: value.utf8.prefix { $0 != 10 && $0 != 13 && $0 != 0 })
        out.append(10)
    }
}
