internal import Crypto
internal import JSON

/// Walks an event's fields in the one order that RFC 8785 gives them. The bytes are known to be canonical JSON, so the
/// scanner only has to find where things end.
struct HeaderScanner {
    private let bytes: [UInt8]
    private let end: Int
    private var at: Int
    private var first = true

    init(_ bytes: [UInt8], within range: Range<Int>) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    mutating func open() throws(EventError) {
        guard end - at > 2, bytes[at] == UInt8(ascii: "{") else { throw EventError(.malformed, "not a JSON object with fields") }
        at += 1
    }

    mutating func close() throws(EventError) {
        guard at < end, bytes[at] == UInt8(ascii: "}"), at + 1 == end else {
            throw EventError(.malformed, "has a field that no event has, or one twice")
        }
    }

    /// The value of the next field, which must have this name.
    mutating func value(_ name: String) throws(EventError) -> Range<Int> {
        try expectKey(name)
        let start = at
        skipValue()
        return start..<at
    }

    /// The bytes between the quotes of a string that needs no unescaping.
    mutating func plain(_ name: String) throws(EventError) -> ArraySlice<UInt8> {
        let range = try value(name)
        guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { throw EventError(.malformed, field: "/" + name, "not a string") }
        let inner = range.lowerBound + 1..<range.upperBound - 1
        guard !isEscaped(inner) else {
            throw EventError(.malformed, field: "/" + name, "has a character that may not stand here")
        }
        return bytes[inner]
    }

    /// A string, unescaped where it must be.
    mutating func text(_ name: String) throws(EventError) -> String {
        let range = try value(name)
        guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { throw EventError(.malformed, field: "/" + name, "not a string") }
        let inner = range.lowerBound + 1..<range.upperBound - 1
        if !isEscaped(inner) { return String(decoding: bytes[inner], as: UTF8.self) }
        guard case .string(let text)? = try? JSON.parse(Array(bytes[range])) else {
            throw EventError(.malformed, field: "/" + name, "not a string")
        }
        return text
    }

    mutating func integer(_ name: String) throws(EventError) -> Int {
        let range = try value(name)
        guard let number = Int(String(decoding: bytes[range], as: UTF8.self)) else {
            throw EventError(.malformed, field: "/" + name, "not a whole number")
        }
        return number
    }

    mutating func cause() throws(EventError) -> Cause {
        let range = try value("cause")
        guard bytes[range.lowerBound] == UInt8(ascii: "{") else { throw EventError(.malformed, field: "/cause", "not an object") }
        var inner = HeaderScanner(bytes, within: range)
        try inner.open()
        if inner.nextKey(is: "command") {
            let id = String(decoding: try inner.plain("command"), as: UTF8.self)
            let digestBytes = try inner.plain("digest")
            try inner.close()
            guard !id.isEmpty, id.utf8.count <= Cause.maximumCommandBytes, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw EventError(.malformed, field: "/cause/command", "must be 1 to \(Cause.maximumCommandBytes) visible ASCII characters")
            }
            guard let digest = Digest(prefixed: String(decoding: digestBytes, as: UTF8.self)) else {
                throw EventError(.malformed, field: "/cause/digest", "not sha256:<64 hex digits>")
            }
            return .command(id: id, digest: digest)
        }
        let idBytes = try inner.plain("event")
        try inner.close()
        guard let id = EventID(String(decoding: idBytes, as: UTF8.self)) else {
            throw EventError(.malformed, field: "/cause/event", "not a UUID in lower case")
        }
        return .event(id: id)
    }

    private func nextKey(is name: String) -> Bool {
        at + 1 < end && has(name, at: at + 1)
    }

    private mutating func expectKey(_ name: String) throws(EventError) {
        if !first {
            guard at < end, bytes[at] == UInt8(ascii: ",") else { throw EventError(.malformed, field: "/" + name, "is missing") }
            at += 1
        }
        first = false
        let valueStart = at + name.utf8.count + 3
        guard valueStart < end, bytes[at] == UInt8(ascii: "\""), bytes[valueStart - 2] == UInt8(ascii: "\""),
            has(name, at: at + 1)
        else { throw EventError(.malformed, field: "/" + name, "is missing, or an unknown field stands before it") }
        at = valueStart
    }

    private mutating func skipValue() { at = bytes.withUnsafeBufferPointer { Self.end(of: at, in: $0, before: end) } }

    /// Where a value ends.
    private static func end(of start: Int, in bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
        var at = start
        var depth = 0
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                while at < end, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
                at += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return at }
                depth -= 1
                at += 1
            case UInt8(ascii: ","):
                if depth == 0 { return at }
                at += 1
            default:
                at += 1
            }
        }
        return at
    }

    /// Whether a string between these places needs unescaping.
    private func isEscaped(_ range: Range<Int>) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            for index in range where bytes[index] == UInt8(ascii: "\\") { return true }
            return false
        }
    }

    private func has(_ name: String, at start: Int) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var index = start
            for byte in name.utf8 {
                guard index < bytes.count, bytes[index] == byte else { return false }
                index += 1
            }
            return true
        }
    }
}
