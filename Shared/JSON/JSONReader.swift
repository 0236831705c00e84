/// Reads a document piece by piece, for hot paths: nothing is built that is not asked for.
///
/// ```swift
/// var reader = JSONReader(bytes)
/// try reader.beginObject()
/// while try reader.nextKey() {
///     if reader.keyIs("id") { id = try reader.string() } else { try reader.skip() }
/// }
/// try reader.finish()
/// ```
/// It is as strict as ``JSON/parse(_:limits:)-([UInt8],_)`` but for keys given twice, which it does not remember; check
/// the bytes with ``JSON/checkCanonical(_:limits:allowFractions:)`` first where that matters.
public struct JSONReader: Sendable {
    /// A text where it stands in the bytes.
    public struct Text: Sendable, Hashable {
        /// The bytes between the quotes.
        public let range: Range<Int>
        /// Whether escapes are among them; if not, the bytes are the text's UTF-8.
        public let isEscaped: Bool
    }

    /// What kind of value comes next.
    public enum Kind: Sendable, Hashable {
        /// An object.
        case object
        /// An array.
        case array
        /// A text.
        case string
        /// A number.
        case number
        /// `true` or `false`.
        case bool
        /// `null`.
        case null
    }

    /// The bytes that are read.
    public let bytes: [UInt8]
    /// How far the reader has come.
    public private(set) var offset = 0

    private let limits: JSONLimits
    private var depth = 0
    private var isFirst = false
    private var key = Text(range: 0..<0, isEscaped: false)

    /// Reads the bytes from their start. Throws when they are more than the limit.
    public init(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        guard bytes.count <= limits.bytes else { throw JSONError(kind: .tooLong, offset: limits.bytes) }
        self.bytes = bytes
        self.limits = limits
    }

    /// What comes next; nil when it begins no value.
    public mutating func peek() throws(JSONError) -> Kind? {
        try scan { (scanner) throws(JSONFault) -> Kind? in
            scanner.skipBlanks()
            return switch scanner.next {
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "["): .array
            case UInt8(ascii: "\""): .string
            case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
            case UInt8(ascii: "n"): .null
            case UInt8(ascii: "-"), 0x30...0x39: .number
            default: nil
            }
        }
    }

    /// Steps into an object.
    public mutating func beginObject() throws(JSONError) { try begin(UInt8(ascii: "{"), "an object") }

    /// Steps into an array.
    public mutating func beginArray() throws(JSONError) { try begin(UInt8(ascii: "["), "an array") }

    /// Steps to the next member: true, and its value must be read or skipped; or out of the object: false.
    public mutating func nextKey() throws(JSONError) -> Bool {
        guard try step(UInt8(ascii: "}")) else { return false }
        key = try scan { (scanner) throws(JSONFault) -> Text in
            scanner.skipBlanks()
            let text = try scanner.text()
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            return Text(range: text.range, isEscaped: text.isEscaped)
        }
        return true
    }

    /// Steps to the next element: true, and it must be read or skipped; or out of the array: false.
    public mutating func nextElement() throws(JSONError) -> Bool { try step(UInt8(ascii: "]")) }

    /// Whether the key at hand is this one, compared as bytes.
    public func keyIs(_ name: StaticString) -> Bool { matches(key, name) }

    /// The key at hand.
    public var keyText: String { string(of: key) }

    /// Whether the text is this one, compared as bytes.
    public func matches(_ text: Text, _ name: StaticString) -> Bool {
        if text.isEscaped {
            return string(of: text).utf8.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
        guard text.range.count == name.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBufferPointer { buffer in
            for index in 0..<text.range.count where buffer[text.range.lowerBound &+ index] != name.utf8Start[index] { return false }
            return true
        }
    }

    /// The text as a string.
    public func string(of text: Text) -> String {
        bytes.withUnsafeBufferPointer { Scanner($0).string(Scanner.Text(range: text.range, isEscaped: text.isEscaped)) }
    }

    /// Reads a text.
    public mutating func string() throws(JSONError) -> String { string(of: try text()) }

    /// Reads a text without copying it.
    public mutating func text() throws(JSONError) -> Text {
        try scan { (scanner) throws(JSONFault) -> Text in
            scanner.skipBlanks()
            guard scanner.next == UInt8(ascii: "\"") else { throw wrongType(scanner, "a string") }
            let text = try scanner.text()
            return Text(range: text.range, isEscaped: text.isEscaped)
        }
    }

    /// Reads an integer that fits 64 bits.
    public mutating func int() throws(JSONError) -> Int64 {
        try scan { (scanner) throws(JSONFault) -> Int64 in
            scanner.skipBlanks()
            let start = scanner.at
            guard isNumber(scanner.next), let int = try scanner.number().int else {
                scanner.at = start
                throw wrongType(scanner, "an integer of 64 bits")
            }
            return int
        }
    }

    /// Reads a number.
    public mutating func double() throws(JSONError) -> Double {
        try scan { (scanner) throws(JSONFault) -> Double in
            scanner.skipBlanks()
            guard isNumber(scanner.next) else { throw wrongType(scanner, "a number") }
            return try scanner.double(try scanner.number())
        }
    }

    /// Reads `true` or `false`.
    public mutating func bool() throws(JSONError) -> Bool {
        try scan { (scanner) throws(JSONFault) -> Bool in
            scanner.skipBlanks()
            switch scanner.next {
            case UInt8(ascii: "t"):
                try scanner.expectWord("true")
                return true
            case UInt8(ascii: "f"):
                try scanner.expectWord("false")
                return false
            default: throw wrongType(scanner, "a boolean")
            }
        }
    }

    /// Reads `null`.
    public mutating func null() throws(JSONError) {
        try scan { (scanner) throws(JSONFault) in
            scanner.skipBlanks()
            guard scanner.next == UInt8(ascii: "n") else { throw wrongType(scanner, "null") }
            try scanner.expectWord("null")
        }
    }

    /// Reads any value into memory, keys given twice refused.
    public mutating func value() throws(JSONError) -> JSONValue {
        let limits = limits, depth = depth
        return try scan { (scanner) throws(JSONFault) -> JSONValue in
            scanner.skipBlanks()
            var parser = Parser(scanner, limits)
            let value = try parser.value(depth: limits.depth - depth)
            scanner.at = parser.scanner.at
            return value
        }
    }

    /// Steps over any value.
    public mutating func skip() throws(JSONError) { _ = try rawValue() }

    /// Steps over any value and says where it stands in the bytes.
    public mutating func rawValue() throws(JSONError) -> Range<Int> {
        let room = limits.depth - depth
        return try scan { (scanner) throws(JSONFault) -> Range<Int> in
            scanner.skipBlanks()
            let start = scanner.at
            try scanner.skipValue(depth: room)
            return start..<scanner.at
        }
    }

    /// Throws unless everything has been read.
    public mutating func finish() throws(JSONError) {
        try scan { (scanner) throws(JSONFault) in
            scanner.skipBlanks()
            try scanner.expectEnd()
        }
    }

    private mutating func begin(_ bracket: UInt8, _ what: String) throws(JSONError) {
        let isTooDeep = depth >= limits.depth
        try scan { (scanner) throws(JSONFault) in
            scanner.skipBlanks()
            guard scanner.next == bracket else { throw wrongType(scanner, what) }
            guard !isTooDeep else { throw scanner.fault(.tooDeep) }
            scanner.at += 1
        }
        isFirst = true
        depth += 1
    }

    @inline(__always)
    private mutating func step(_ close: UInt8) throws(JSONError) -> Bool {
        let first = isFirst
        isFirst = false
        let hasNext = try scan { (scanner) throws(JSONFault) -> Bool in
            scanner.skipBlanks()
            if scanner.take(close) { return false }
            if !first { try scanner.expect(UInt8(ascii: ",")) }
            return true
        }
        if !hasNext { depth -= 1 }
        return hasNext
    }

    @inline(__always)
    private mutating func scan<Result>(
        _ body: (inout Scanner) throws(JSONFault) -> Result
    ) throws(JSONError) -> Result {
        var at = offset
        do throws(JSONFault) {
            let result = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONFault) -> Result in
                var scanner = Scanner(buffer, at: at)
                let result = try body(&scanner)
                at = scanner.at
                return result
            }
            offset = at
            return result
        } catch {
            throw JSONError(error, in: bytes)
        }
    }
}

private func isNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) }

/// The value at hand is sound, but another one was asked for; or it is no value at all.
private func wrongType(_ scanner: Scanner, _ expected: String) -> JSONFault {
    switch scanner.next {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"),
        UInt8(ascii: "-"), 0x30...0x39:
        scanner.fault(.wrongType(expected: expected))
    default: scanner.unexpected
    }
}
