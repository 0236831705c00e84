internal import Crypto
internal import Events
internal import JSON

/// The JSON that travels between the ledger and its callers. Events stand in it as they are, byte for byte: they are
/// JSON themselves.
public enum LogWire {
    /// At most this many bytes in the body of an append.
    public static let maximumBody = 16 << 20

    static let limits = JSONLimits(depth: 40, bytes: maximumBody, items: 2_000_000)
    static let answerLimits = JSONLimits(depth: 40, bytes: 64 << 20, items: 4_000_000)

    // MARK: Append

    /// `{"cause_position":…,"events":[…],"expected":{"<stream>":<version> | "none" | "any"}}`.
    public static func encode(_ request: AppendRequest) -> [UInt8] {
        var writer = JSONWriter(capacity: request.events.reduce(256) { $0 + $1.count + 2 })
        writer.beginObject()
        if let position = request.causePosition { writer.member("cause_position", Int64(clamping: position)) }
        writer.key("events")
        writer.beginArray()
        for event in request.events { writer.raw(event) }
        writer.endArray()
        if !request.expected.isEmpty {
            writer.key("expected")
            writer.beginObject()
            for (stream, version) in request.expected.sorted(by: { $0.key.text < $1.key.text }) {
                switch version {
                case .any: writer.member(stream.text, "any")
                case .none: writer.member(stream.text, "none")
                case .exact(let count): writer.member(stream.text, Int64(clamping: count))
                }
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    /// Reads the body of an append.
    public static func decodeAppend(_ body: [UInt8]) throws(LogError) -> AppendRequest {
        do {
            var reader = try JSONReader(body, limits: limits)
            let request = try request(&reader)
            try reader.finish()
            return request
        } catch let error as LogError {
            throw error
        } catch {
            throw .malformed(field: "body", reason: "\(error)")
        }
    }

    static func request(_ reader: inout JSONReader) throws -> AppendRequest {
        var request = AppendRequest(events: [])
        var seen: Set<String> = []
        try reader.beginObject()
        while try reader.nextKey() {
            let key = reader.keyText
            guard seen.insert(key).inserted else {
                throw LogError.malformed(field: "/" + key.prefix(64), reason: "was given twice")
            }
            if reader.keyIs("events") {
                try reader.beginArray()
                while try reader.nextElement() {
                    guard request.events.count < AppendRequest.maximumEvents else {
                        throw LogError.malformed(field: "/events", reason: "more than \(AppendRequest.maximumEvents) events")
                    }
                    request.events.append(Array(reader.bytes[try reader.rawValue()]))
                }
            } else if reader.keyIs("expected") {
                try reader.beginObject()
                while try reader.nextKey() {
                    let text = reader.keyText
                    guard let stream = StreamName(text) else {
                        throw LogError.malformed(field: "/expected", reason: "\(text.prefix(64)) is not the name of a stream")
                    }
                    guard request.expected.count < AppendRequest.maximumEvents else {
                        throw LogError.malformed(field: "/expected", reason: "more than \(AppendRequest.maximumEvents) streams")
                    }
                    guard request.expected.updateValue(try expectedVersion(&reader, stream), forKey: stream) == nil else {
                        throw LogError.malformed(field: "/expected/\(stream)", reason: "was given twice")
                    }
                }
            } else if reader.keyIs("cause_position") {
                request.causePosition = try position(&reader, "/cause_position")
            } else {
                throw LogError.malformed(field: "/" + key.prefix(64), reason: "no such field")
            }
        }
        return request
    }

    private static func expectedVersion(_ reader: inout JSONReader, _ stream: StreamName) throws -> ExpectedVersion {
        if try reader.peek() == .string {
            switch try reader.string() {
            case "any": return .any
            case "none": return .none
            default: break
            }
            throw LogError.malformed(field: "/expected/\(stream)", reason: "must be \"any\", \"none\" or a number of events")
        }
        return .exact(try position(&reader, "/expected/\(stream)"))
    }

    private static func position(_ reader: inout JSONReader, _ field: String) throws -> UInt64 {
        let number = try reader.int()
        guard number >= 0 else { throw LogError.malformed(field: field, reason: "must not be negative") }
        return UInt64(number)
    }

    /// `{"events":[{"id":…,"position":…,"stream":…,"version":…}],"position":…}`.
    public static func encode(_ appended: Appended) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + appended.entries.count * 160)
        writer.beginObject()
        writer.key("events")
        writer.beginArray()
        for (offset, entry) in appended.entries.enumerated() {
            writer.beginObject()
            writer.member("id", entry.id.text)
            writer.member("position", Int64(appended.position) + Int64(offset))
            writer.member("stream", entry.stream.text)
            writer.member("version", Int64(entry.version))
            writer.endObject()
        }
        writer.endArray()
        writer.member("position", Int64(appended.position))
        writer.endObject()
        return writer.bytes
    }

    /// Reads the answer to an append.
    public static func decodeAppended(_ body: [UInt8]) throws -> Appended {
        try appended(try JSON.parse(body, limits: answerLimits).object())
    }

    static func appended(_ fields: JSONFields) throws -> Appended {
        var entries: [Appended.Entry] = []
        for element in try fields.array("events") {
            let entry = try element.object()
            guard let id = EventID(try entry.string("id")), let stream = StreamName(try entry.string("stream")) else {
                throw LogError.unavailable("the ledger's answer names no event")
            }
            entries.append(Appended.Entry(id: id, stream: stream, version: UInt64(try entry.int("version", in: 0...Int.max))))
        }
        return Appended(position: UInt64(try fields.int("position", in: 0...Int.max)), entries: entries)
    }

    // MARK: Read

    /// `{"event":…,"position":…,"version":…}`.
    private static func write(_ event: LoggedEvent, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("event")
        writer.raw(event.bytes)
        writer.member("position", Int64(event.position))
        writer.member("version", Int64(event.version))
        writer.endObject()
    }

    /// One event alone, as a server-sent event carries it.
    public static func encode(_ event: LoggedEvent) -> [UInt8] {
        var writer = JSONWriter(capacity: event.bytes.count + 64)
        write(event, to: &writer)
        return writer.bytes
    }

    /// `{"events":[…],"size":…}`.
    public static func encode(_ batch: LogBatch) -> [UInt8] {
        var writer = JSONWriter(capacity: batch.events.reduce(64) { $0 + $1.bytes.count + 64 })
        writer.beginObject()
        writer.key("events")
        writer.beginArray()
        for event in batch.events { write(event, to: &writer) }
        writer.endArray()
        writer.member("size", Int64(batch.size))
        writer.endObject()
        return writer.bytes
    }

    /// Reads one event.
    public static func decodeEvent(_ body: [UInt8]) throws -> LoggedEvent {
        var reader = try JSONReader(body, limits: answerLimits)
        let event = try event(&reader)
        try reader.finish()
        return event
    }

    /// Reads a batch.
    public static func decodeBatch(_ body: [UInt8]) throws -> LogBatch {
        var reader = try JSONReader(body, limits: answerLimits)
        var events: [LoggedEvent] = []
        var size: UInt64 = 0
        try reader.beginObject()
        while try reader.nextKey() {
            if reader.keyIs("events") {
                try reader.beginArray()
                while try reader.nextElement() { events.append(try event(&reader)) }
            } else if reader.keyIs("size") {
                size = try position(&reader, "/size")
            } else {
                try reader.skip()
            }
        }
        try reader.finish()
        return LogBatch(events: events, size: size)
    }

    private static func event(_ reader: inout JSONReader) throws -> LoggedEvent {
        var bytes: Range<Int>?
        var at: UInt64?
        var version: UInt64?
        try reader.beginObject()
        while try reader.nextKey() {
            if reader.keyIs("event") {
                bytes = try reader.rawValue()
            } else if reader.keyIs("position") {
                at = try position(&reader, "/position")
            } else if reader.keyIs("version") {
                version = try position(&reader, "/version")
            } else {
                try reader.skip()
            }
        }
        guard let bytes, let at, let version else { throw LogError.unavailable("the ledger's answer lacks a field of an event") }
        return LoggedEvent(position: at, version: version, bytes: Array(reader.bytes[bytes]))
    }
}
