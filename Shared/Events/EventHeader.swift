internal import Crypto
internal import JSON

/// What every event says about itself, read from its bytes without touching `data`.
public struct EventHeader: Sendable {
    /// The event's id.
    public let id: EventID
    /// `<noun>.<past verb>`.
    public let type: String
    /// The type's version.
    public let version: Int
    /// Its stream.
    public let stream: StreamName
    /// When it happened.
    public let time: Timestamp
    /// Who did it.
    public let actor: String
    /// Why.
    public let cause: Cause
    /// The trace id of the first request.
    public let correlation: String
    /// Where `data` lies in the bytes.
    public let data: Range<Int>

    /// Reads and checks an event's bytes: size, canonical form, whole numbers only, all fields present and well-formed,
    /// no other field. Takes no memory beyond the header and one pass over the bytes each for form and fields.
    public init(parsing bytes: [UInt8]) throws(EventError) {
        guard bytes.count <= Event.maximumBytes else { throw EventError.oversized(bytes.count) }
        do {
            try JSON.checkCanonical(bytes, limits: Self.limits, allowFractions: false)
        } catch {
            throw EventError(.notCanonical, "\(error)")
        }
        if let header = Self.read(bytes, isTrusted: false) { self = header } else { try self.init(slowly: bytes) }
    }

    /// Reads the header of bytes that are known to be an event's, such as those read back from the log. The data is not looked at.
    public init(trusted bytes: [UInt8]) throws(EventError) {
        if let header = Self.read(bytes, isTrusted: true) { self = header } else { try self.init(slowly: bytes) }
    }

    /// Nil for what is no event: ``init(slowly:)`` knows the words for it.
    private static func read(_ bytes: [UInt8], isTrusted: Bool) -> EventHeader? {
        bytes.withUnsafeBufferPointer { bytes in
            var walk = FieldWalk(bytes, within: 0..<bytes.count)
            guard let places = walk.places(isTrusted: isTrusted), let actor = text(places.actor, in: bytes),
                let correlation = text(places.correlation, in: bytes)
            else { return nil }
            func plain(_ range: Range<Int>) -> String {
                String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
            }
            var cause = Cause.event(id: EventID(wellFormed: plain(places.cause.id)))
            if let digits = places.cause.digest {
                guard let digest = Digest(hexDigits: UnsafeBufferPointer(rebasing: bytes[digits])) else { return nil }
                cause = .command(id: plain(places.cause.id), digest: digest)
            }
            return EventHeader(
                id: EventID(wellFormed: plain(places.id)), type: plain(places.type), version: places.version,
                stream: StreamName(wellFormed: plain(places.stream)), time: places.time, actor: actor, cause: cause,
                correlation: correlation, data: places.data)
        }
    }

    private static func text(_ range: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>) -> String? {
        let inner = UnsafeBufferPointer(rebasing: bytes[range])
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        return try? JSON.parse(Array(bytes[range.lowerBound - 1..<range.upperBound + 1])).stringValue
    }

    private init(
        id: EventID, type: String, version: Int, stream: StreamName, time: Timestamp, actor: String, cause: Cause, correlation: String,
        data: Range<Int>
    ) {
        self.id = id
        self.type = type
        self.version = version
        self.stream = stream
        self.time = time
        self.actor = actor
        self.cause = cause
        self.correlation = correlation
        self.data = data
    }

    /// The same, field by field, with an error that says what is wrong.
    private init(slowly bytes: [UInt8]) throws(EventError) {
        var scanner = HeaderScanner(bytes, within: 0..<bytes.count)
        try scanner.open()
        actor = try scanner.text("actor")
        cause = try scanner.cause()
        correlation = try scanner.text("correlation")
        data = try scanner.value("data")
        let idText = try scanner.plain("id")
        let streamText = try scanner.plain("stream")
        let timeBytes = try scanner.plain("time")
        let typeBytes = try scanner.plain("type")
        version = try scanner.integer("v")
        try scanner.close()

        guard UUIDText.isWellFormed(idText), let id = EventID(String(decoding: idText, as: UTF8.self)) else {
            throw EventError(.malformed, field: "/id", "not a UUID in lower case")
        }
        guard let stream = StreamName(String(decoding: streamText, as: UTF8.self)) else {
            throw EventError(.malformed, field: "/stream", "not <kind>/<id> of at most \(StreamName.maximumBytes) bytes")
        }
        guard let time = Timestamp(utf8: timeBytes) else {
            throw EventError(.malformed, field: "/time", "not RFC 3339 in UTC with six fractional digits and Z")
        }
        guard Self.isType(typeBytes) else { throw EventError(.malformed, field: "/type", "not <noun>.<past verb>") }
        guard version >= 1 else { throw EventError(.malformed, field: "/v", "versions begin at 1") }
        self.id = id
        self.stream = stream
        self.time = time
        type = String(decoding: typeBytes, as: UTF8.self)
        try Self.check(actor, "/actor")
        try Self.check(correlation, "/correlation")
    }

    /// What stands before the dot of the type.
    public var noun: Substring { type.prefix { $0 != "." } }

    /// The type's bytes alone, of bytes that are known to be an event's: for whoever looks for a few types among many events. It stands
    /// at the end, before the version.
    public static func typeBytes(trusted bytes: [UInt8]) -> Range<Int>? {
        bytes.withUnsafeBufferPointer { bytes in
            // …,"type":"settlement.posted","v":1}
            guard var end = bytes.lastIndex(of: UInt8(ascii: ",")), end > 10 else { return nil }
            end -= 1
            var start = end
            while start > 0, bytes[start - 1] != UInt8(ascii: "\"") { start -= 1 }
            return start > 0 && bytes[end] == UInt8(ascii: "\"") ? start..<end : nil
        }
    }

    static let limits = JSONLimits(depth: 32)

    private static func check(_ text: String, _ field: String) throws(EventError) {
        guard !text.isEmpty, text.utf8.count <= 200 else {
            throw EventError(.malformed, field: field, "must have 1 to 200 bytes")
        }
    }

    static func isType<Bytes: RandomAccessCollection>(_ utf8: Bytes) -> Bool
    where Bytes.Element == UInt8, Bytes.Index == Int, Bytes.SubSequence.Index == Int {
        guard utf8.count <= 100, let dot = utf8.firstIndex(of: UInt8(ascii: ".")) else { return false }
        func isWord(_ part: Bytes.SubSequence) -> Bool {
            !part.isEmpty && part.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }
        }
        return isWord(utf8[..<dot]) && isWord(utf8[(dot + 1)...])
    }
}
