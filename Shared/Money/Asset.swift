/// What is counted: a code and how many decimal digits its minor unit lies below the major one. `USDC/6` counts millionths
/// of a USDC. Two assets of one code with different digits are different assets.
public struct Asset: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The code and the digits, `USDC/6`: the form used in events.
    public let text: String
    /// How many decimal digits the minor unit lies below the major one.
    public let digits: Int

    /// At most this many digits: 10^18 minor units of 10^18 still leave room in 128 bits.
    public static let maximumDigits = 18

    /// Reads `USDC/6`: a code of 1 to 16 capitals and digits that begins with a letter, and 0 to 18 without leading zero.
    public init(_ text: String) throws(MoneyError) {
        guard let digits = Self.digits(of: text) else { throw MoneyError.malformedAsset(text) }
        self.text = text
        self.digits = digits
    }

    /// The code without the digits: `USDC`.
    public var code: String { String(text.prefix { $0 != "/" }) }

    /// The same as ``text``.
    public var description: String { text }

    /// In the order of their texts' bytes.
    public static func < (left: Asset, right: Asset) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Equal texts; the digits follow from them.
    public static func == (left: Asset, right: Asset) -> Bool { left.text == right.text }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    private static func digits(of text: String) -> Int? {
        let bytes = Array(text.utf8.prefix(20))
        guard text.utf8.count == bytes.count, let slash = bytes.firstIndex(of: UInt8(ascii: "/")), (1...16).contains(slash),
            (0x41...0x5A).contains(bytes[0]),
            bytes[..<slash].allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) })
        else { return nil }
        let tail = bytes[(slash + 1)...]
        guard (1...2).contains(tail.count), tail.allSatisfy({ (0x30...0x39).contains($0) }),
            tail.count == 1 || tail.first != 0x30
        else { return nil }
        let value = tail.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return value <= maximumDigits ? value : nil
    }
}
