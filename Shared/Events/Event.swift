internal import Crypto
public import JSON

/// An event as its producer makes it, before it has a position.
///
/// Its bytes are canonical JSON (RFC 8785) of `{actor, cause, correlation, data, id, stream, time, type, v}`; they are
/// written once, hashed as written, and never re-encoded.
public struct Event: Sendable {
    /// At most this many bytes: the length field of a C2SP tlog-tiles entry bundle has 16 bits.
    public static let maximumBytes = 65_535

    /// Made from cause, type and ordinal.
    public let id: EventID
    /// `<noun>.<past verb>`.
    public let type: String
    /// The type's version, from 1.
    public let version: Int
    /// Where it belongs.
    public let stream: StreamName
    /// When it happened.
    public let time: Timestamp
    /// The principal who did it.
    public let actor: String
    /// Why it happened.
    public let cause: Cause
    /// The trace id of the first request.
    public let correlation: String
    /// What happened.
    public let data: JSONValue

    /// An event as part of one append.
    /// - Parameter ordinal: its index among the events of the same append, from 0.
    public init(
        type: String, version: Int = 1, stream: StreamName, time: Timestamp, actor: String, cause: Cause, ordinal: Int,
        correlation: String, data: JSONValue
    ) {
        id = EventID(cause: cause.id, type: type, ordinal: ordinal)
        self.type = type
        self.version = version
        self.stream = stream
        self.time = time
        self.actor = actor
        self.cause = cause
        self.correlation = correlation
        self.data = data
    }

    /// The bytes that go on the log.
    public func encoded() throws(EventError) -> [UInt8] {
        // The members of the header in canonical order; the data is put in order as it is written.
        var writer = JSONWriter(capacity: 1_024)
        writer.beginObject()
        writer.member("actor", actor)
        writer.key("cause")
        writer.beginObject()
        switch cause {
        case .command(let id, let digest):
            writer.member("command", id)
            writer.member("digest", digest.prefixed)
        case .event(let id): writer.member("event", id.text)
        }
        writer.endObject()
        writer.member("correlation", correlation)
        writer.key("data")
        do {
            try writer.canonical(data)
            writer.member("id", id.text)
            writer.member("stream", stream.text)
            writer.member("time", time.description)
            writer.member("type", type)
            writer.member("v", version)
            writer.endObject()
            let bytes = writer.bytes
            guard bytes.count <= Event.maximumBytes else { throw EventError.oversized(bytes.count) }
            return bytes
        } catch let error as EventError {
            throw error
        } catch {
            throw EventError(.notCanonical, field: "/data", "\(error)")
        }
    }
}

extension EventError {
    static func oversized(_ bytes: Int) -> EventError {
        EventError(
            .tooLarge,
            "\(bytes) bytes; an event has at most \(Event.maximumBytes): put large content into the blob store and its hash here")
    }
}
