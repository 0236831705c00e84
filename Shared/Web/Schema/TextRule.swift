/// What a text may be.
public struct TextRule: Sendable, Hashable {
    /// A known form.
    public var format: TextFormat?
    /// Characters, counted as Unicode scalars, as JSON Schema counts them.
    public var length: ClosedRange<Int>
    /// The only values, when there are any.
    public var words: [String]

    /// Makes a rule.
    public init(format: TextFormat? = nil, length: ClosedRange<Int> = 0...1024, words: [String] = []) {
        self.format = format
        self.length = length
        self.words = words
    }

    /// What is wrong with a text, to be read behind the name of its field; nil when nothing is.
    func fault(_ text: String) -> String? {
        if !words.isEmpty { return words.contains(text) ? nil : "must be one of \(words.joined(separator: ", "))" }
        if let format, !format.matches(text) { return "must be \(format.words)" }
        let count = text.unicodeScalars.count
        guard length.contains(count) else { return "must have \(length.lowerBound) to \(length.upperBound) characters, not \(count)" }
        return nil
    }
}

/// Forms of text that the product's JSON has.
public enum TextFormat: Sendable, Hashable, CaseIterable {
    /// A UUID in lower case (RFC 9562).
    case uuid
    /// A date and time in UTC (RFC 3339), `2026-11-21T11:08:30.123456Z`.
    case time
    /// `sha256:` and 64 lower-case hexadecimal digits.
    case sha256
    /// Bytes in base64url without padding (RFC 4648 §5).
    case base64URL
    /// A whole number in decimal, without leading zeros, perhaps negative: an amount of minor units.
    case decimal
    /// `kind/id`.
    case stream

    /// The form as a regular expression (ECMA 262) for the OpenAPI document.
    var pattern: String {
        switch self {
        case .uuid: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
        case .time: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$"
        case .sha256: "^sha256:[0-9a-f]{64}$"
        case .base64URL: "^[A-Za-z0-9_-]*$"
        case .decimal: "^(0|-?[1-9][0-9]*)$"
        case .stream: "^[a-z][a-z0-9-]*/[A-Za-z0-9._~-]+$"
        }
    }

    /// The form in words.
    var words: String {
        switch self {
        case .uuid: "a UUID in lower case"
        case .time: "a time in UTC such as 2026-11-21T11:08:30.123456Z"
        case .sha256: "sha256: and 64 lower-case hexadecimal digits"
        case .base64URL: "base64url without padding"
        case .decimal: "a whole number in decimal without leading zeros"
        case .stream: "a stream such as account/alice"
        }
    }

    /// Whether a text has the form; the same set as `pattern`, without a regular expression.
    func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        switch self {
        case .uuid:
            return bytes.count == 36
                && bytes.indices.allSatisfy { [8, 13, 18, 23].contains($0) ? bytes[$0] == UInt8(ascii: "-") : Self.isHex(bytes[$0]) }
        case .time: return Self.isTime(bytes)
        case .sha256: return text.hasPrefix("sha256:") && bytes.count == 71 && bytes.dropFirst(7).allSatisfy(Self.isHex)
        case .base64URL:
            return bytes.allSatisfy { Self.isDigit($0) || Self.isLetter($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        case .decimal:
            if bytes == [UInt8(ascii: "0")] { return true }
            let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
            return !digits.isEmpty && digits.allSatisfy(Self.isDigit) && digits.first != UInt8(ascii: "0")
        case .stream: return Self.isStream(bytes)
        }
    }

    private static func isTime(_ bytes: [UInt8]) -> Bool {
        let shape = Array("0000-00-00T00:00:00".utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return false }
        for (byte, wanted) in zip(bytes, shape) where wanted == UInt8(ascii: "0") ? !isDigit(byte) : byte != wanted { return false }
        let fraction = bytes[19..<(bytes.count - 1)]
        return fraction.isEmpty || (fraction.count > 1 && fraction.first == UInt8(ascii: ".") && fraction.dropFirst().allSatisfy(isDigit))
    }

    private static func isStream(_ bytes: [UInt8]) -> Bool {
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), let first = bytes.first, isLower(first), slash + 1 < bytes.count else {
            return false
        }
        return bytes[..<slash].allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
            && bytes[(slash + 1)...].allSatisfy { isDigit($0) || isLetter($0) || Array("._~-".utf8).contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) && byte >= UInt8(ascii: "A") }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte) }
}
