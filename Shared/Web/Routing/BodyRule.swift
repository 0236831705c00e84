/// What body a route takes.
public enum BodyRule: Sendable {
    /// None; one that comes all the same is refused.
    case none
    /// A JSON document that fits the schema; read, parsed and checked before the handler runs.
    case json(Schema, limit: Int = 1 << 20, depth: Int = 32)
    /// A JSON document that the handler reads itself from the bytes, for routes where a tree of values costs too much. The schema is for the
    /// OpenAPI document only: whoever takes this must refuse on its own what does not fit.
    case rawJSON(Schema, limit: Int = 1 << 20)
    /// Bytes of one of these media types, read whole before the handler runs.
    case bytes([String], limit: Int)
    /// Bytes of one of these media types, read by the handler as they come; the handler gets 413 from the stream beyond the limit.
    case stream([String], limit: Int)

    /// The media types that are taken.
    var types: [String] {
        switch self {
        case .none: []
        case .json, .rawJSON: ["application/json"]
        case .bytes(let types, _), .stream(let types, _): types
        }
    }
}

/// Whether a route takes an `Idempotency-Key`.
public enum Idempotency: Sendable {
    /// It does not: repeating the request does no harm, or the body carries an id.
    case none
    /// It must be there: repeating the request without it would do the work twice.
    case required
    /// It may be there.
    case optional
}

/// One reply that a route can give when all is well.
public struct Reply: Sendable {
    /// The status.
    public let status: Int
    /// What it means.
    public let summary: String
    /// The media type of the body, nil without a body.
    public let type: String?
    /// What the JSON is; nil when the body is none.
    public let schema: Schema?
    /// Header fields that it may carry beside those of all replies: name and meaning, for the document.
    public private(set) var headers: [(name: String, summary: String)] = []

    /// The same reply, which may carry this header field.
    public func carrying(_ header: (name: String, summary: String)) -> Reply {
        if headers.contains(where: { $0.name == header.name }) { return self }
        var reply = self
        reply.headers.append(header)
        return reply
    }

    /// A JSON document.
    public static func json(_ status: Int = 200, _ summary: String, _ schema: Schema) -> Reply {
        Reply(status: status, summary: summary, type: "application/json", schema: schema)
    }
    /// Nothing but the head.
    public static func empty(_ status: Int = 204, _ summary: String) -> Reply {
        Reply(status: status, summary: summary, type: nil, schema: nil)
    }
    /// A body that is no JSON.
    public static func content(_ status: Int = 200, _ summary: String, type: String) -> Reply {
        Reply(status: status, summary: summary, type: type, schema: nil)
    }
    /// Server-sent events.
    public static func events(_ summary: String) -> Reply { content(200, summary, type: "text/event-stream") }
}
