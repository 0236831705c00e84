internal import Crypto
internal import JSON

/// Walks an event's fields in the one order that RFC 8785 gives them and checks each where it lies. The bytes are known to
/// be canonical JSON. Every step gives nil for "no event"; what exactly is wrong is for ``EventHeader`` to say.
struct FieldWalk {
    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private var at: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, within range: Range<Int>) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    /// Where the parts of an event lie, and those that are read as they are checked.
    struct Places {
        let actor: Range<Int>
        /// The whole object, and within it the id and, of a command, the digits of the digest.
        let cause: (whole: Range<Int>, id: Range<Int>, digest: Range<Int>?)
        let correlation: Range<Int>
        let data: Range<Int>
        let id: Range<Int>
        let stream: Range<Int>
        let time: Timestamp
        let type: Range<Int>
        let version: Int
    }

    mutating func event() -> EventCheck.Fields? {
        guard let places = places(isTrusted: false) else { return nil }
        return EventCheck.Fields(cause: places.cause.whole, causeID: places.cause.id, id: places.id, type: places.type)
    }

    /// - Parameter isTrusted: whether the bytes come from the log, where each event has its fields and no other: then the end of the data is
    ///   looked for from behind, and the data, by far the longest part, is not walked through.
    mutating func places(isTrusted: Bool) -> Places? {
        guard isAt("{\"actor\":"), let actor = string(), isName(actor) else { return nil }
        guard isAt(",\"cause\":"), let cause = cause() else { return nil }
        guard isAt(",\"correlation\":"), let correlation = string(), isName(correlation) else { return nil }
        guard isAt(",\"data\":") else { return nil }
        let start = at
        if isTrusted, let tail = tail(after: start) { at = tail } else { skipValue() }
        let data = start..<at
        guard isAt(",\"id\":"), let id = string(), UUIDText.isUUID(bytes[id]) else { return nil }
        guard isAt(",\"stream\":"), let stream = string(), StreamName.isWellFormed(bytes[stream]) else { return nil }
        guard isAt(",\"time\":"), let digits = string(), let time = Timestamp(digits: bytes[digits]) else { return nil }
        guard isAt(",\"type\":"), let type = string(), EventHeader.isType(bytes[type]) else { return nil }
        guard isAt(",\"v\":"), at < end, bytes[at] >= 0x31, bytes[at] <= 0x39 else { return nil }
        var version = 0
        while at < end, bytes[at] >= 0x30, bytes[at] <= 0x39 {
            guard version < Int.max / 100 else { return nil }
            version = version * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        guard isAt("}"), at == end else { return nil }
        return Places(
            actor: actor, cause: cause, correlation: correlation, data: data, id: id, stream: stream, time: time, type: type,
            version: version)
    }

    /// Where `,"id":` stands after the data, found from the end; nil when the fields behind it are not those of an event. No text there has
    /// an escape, and a quote behind a comma or colon begins one: so what is found from behind is what is found from the front.
    private func tail(after start: Int) -> Int? {
        var at = end - 1
        /// Steps back over these bytes if they stand before.
        func isBefore(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard at - count >= start else { return false }
            for index in 0..<count where bytes[at - count + index] != text.utf8Start[index] { return false }
            at -= count
            return true
        }
        /// Steps back over a text of which the last quote has been stepped over, its first quote included.
        func isText() -> Bool {
            while at > start, bytes[at - 1] != UInt8(ascii: "\"") {
                if bytes[at - 1] == UInt8(ascii: "\\") { return false }
                at -= 1
            }
            at -= 1
            return at > start
        }
        guard at > start, bytes[at] == UInt8(ascii: "}") else { return nil }
        while at > start, bytes[at - 1] >= 0x30, bytes[at - 1] <= 0x39 { at -= 1 }
        guard isBefore("\",\"v\":"), isText(), isBefore("\",\"type\":"), isText(), isBefore("\",\"time\":"), isText(),
            isBefore("\",\"stream\":"), isText(), isBefore(",\"id\":")
        else { return nil }
        return at
    }

    private mutating func cause() -> (whole: Range<Int>, id: Range<Int>, digest: Range<Int>?)? {
        let start = at
        if isAt("{\"command\":") {
            guard let id = string(), !id.isEmpty, id.count <= Cause.maximumCommandBytes,
                bytes[id].allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
                isAt(",\"digest\":\"sha256:")
            else { return nil }
            let digest = at..<at + 64
            guard isHex(64), isAt("\"}") else { return nil }
            return (start..<at, id, digest)
        }
        guard isAt("{\"event\":"), let id = string(), UUIDText.isUUID(bytes[id]), isAt("}") else { return nil }
        return (start..<at, id, nil)
    }

    /// Steps over these bytes if they are next.
    @inline(__always)
    private mutating func isAt(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard at + count <= end else { return false }
        for index in 0..<count where bytes[at + index] != text.utf8Start[index] { return false }
        at += count
        return true
    }

    private mutating func isHex(_ count: Int) -> Bool {
        guard at + count <= end else { return false }
        for index in at..<at + count {
            let byte = bytes[index]
            guard (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) else { return false }
        }
        at += count
        return true
    }

    /// What stands between the quotes of the string that is next.
    private mutating func string() -> Range<Int>? {
        guard at < end, bytes[at] == UInt8(ascii: "\"") else { return nil }
        let start = at + 1
        skipString()
        return start..<at - 1
    }

    /// 1 to 200 bytes once unescaped.
    private func isName(_ range: Range<Int>?) -> Bool {
        guard let range, !range.isEmpty else { return false }
        guard bytes[range].contains(UInt8(ascii: "\\")) else { return range.count <= 200 }
        guard case .string(let text)? = try? JSON.parse(Array(bytes[range.lowerBound - 1..<range.upperBound + 1])) else { return false }
        return text.utf8.count <= 200
    }

    private mutating func skipString() {
        at += 1
        while at < end {
            // Whole words without a quote or backslash, as most of a long text is.
            while at + 8 <= end, let base = bytes.baseAddress {
                let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                if Self.holdsQuoteOrBackslash(word) { break }
                at += 8
            }
            guard at < end else { return }
            let byte = bytes[at]
            at += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    private static func holdsQuoteOrBackslash(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22), backslash = word ^ (ones &* 0x5C)
        return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & (ones &* 0x80) != 0
    }

    private mutating func skipValue() {
        var depth = 0
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\""): skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
                at += 1
            case UInt8(ascii: ","):
                if depth == 0 { return }
                at += 1
            default: at += 1
            }
        }
    }
}
