/// A SHA-256 digest: 32 bytes, kept inline so that a tree of them needs no allocation per node.
public struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    // In the order of the bytes in memory. No other stored property may join them: the value's memory is the digest.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// 32.
    public static let count = 32

    /// 32 zero bytes. No input is known to hash to it.
    public static let zero = Digest(words: (0, 0, 0, 0))

    private static let prefix = "sha256:"

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Takes 32 bytes; nil for any other number of them.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.count else { return nil }
        self = .zero
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Takes 32 bytes; nil for any other number of them.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.count else { return nil }
        self = .zero
        withUnsafeMutableBytes(of: &words) { to in
            bytes.withUnsafeBufferPointer { to.copyBytes(from: $0) }
        }
    }

    /// Reads 64 lower-case hexadecimal digits: one text per value, so capitals are refused.
    public init?(hex: String) {
        guard hex.utf8.count == 2 * Self.count, let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// Reads 64 lower-case hexadecimal digits where they lie.
    public init?(hexDigits digits: some Collection<UInt8>) {
        guard digits.count == 2 * Self.count else { return nil }
        self = .zero
        let isHex = withUnsafeMutableBytes(of: &words) { to in
            var place = 0
            for digit in digits {
                let value: UInt8
                switch digit {
                case 0x30...0x39: value = digit - 0x30
                case 0x61...0x66: value = digit - 0x57
                default: return false
                }
                to[place >> 1] = place & 1 == 0 ? value << 4 : to[place >> 1] | value
                place += 1
            }
            return true
        }
        guard isHex else { return nil }
    }

    /// Reads `sha256:` and 64 lower-case hexadecimal digits.
    public init?(prefixed text: String) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        self.init(hex: String(text.dropFirst(Self.prefix.count)))
    }

    /// Fills a digest in place.
    init(filling body: (UnsafeMutablePointer<UInt8>) -> Void) {
        self = .zero
        withUnsafeMutableBytes(of: &words) { to in
            if let start = to.baseAddress { body(start.assumingMemoryBound(to: UInt8.self)) }
        }
    }

    /// Lends the 32 bytes without copying them.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Appends the 32 bytes.
    public func append(to out: inout [UInt8]) {
        withUnsafeBytes { out.append(contentsOf: $0) }
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    /// The form used in events: `sha256:` and 64 lower-case hexadecimal digits.
    public var prefixed: String { Self.prefix + hex }

    /// The same as ``prefixed``.
    public var description: String { prefixed }

    /// Equality of all 32 bytes. Not constant-time: for secrets use ``constantTimeEqual(_:_:)``.
    public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

    /// Byte by byte, first byte first.
    public static func < (a: Digest, b: Digest) -> Bool {
        let x = a.words, y = b.words
        if x.0 != y.0 { return x.0.bigEndian < y.0.bigEndian }
        if x.1 != y.1 { return x.1.bigEndian < y.1.bigEndian }
        if x.2 != y.2 { return x.2.bigEndian < y.2.bigEndian }
        return x.3.bigEndian < y.3.bigEndian
    }

    /// Feeds the first word only: the bytes are already evenly spread.
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
