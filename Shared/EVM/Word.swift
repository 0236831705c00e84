internal import Crypto

/// 32 bytes, big-endian: what Ethereum's ABI makes numbers, addresses and hashes of.
public struct Word: Sendable, Hashable, Comparable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// A number.
    public init(_ value: UInt128) {
        var bytes = [UInt8](repeating: 0, count: 32)
        for place in 0..<16 { bytes[31 - place] = UInt8(truncatingIfNeeded: value >> UInt128(8 * place)) }
        self.bytes = bytes
    }

    /// An address, zeros before it.
    public init(_ address: EVMAddress) { bytes = [UInt8](repeating: 0, count: 12) + address.bytes }

    /// 32 bytes; nil for another number of them.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// `0x` and 64 lower-case hexadecimal digits.
    public init?(hex text: String) {
        guard text.hasPrefix("0x"), let bytes = Hex.decode(text.dropFirst(2).lowercased()), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// A decimal number below 2²⁵⁶, without sign, spaces or zeros before it.
    public init?(decimal text: String) {
        let digits = Array(text.utf8)
        guard (1...78).contains(digits.count), digits.count == 1 || digits[0] != 0x30 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            var carry = UInt32(digit - 0x30)
            for place in stride(from: 31, through: 0, by: -1) {
                carry += UInt32(bytes[place]) * 10
                bytes[place] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            guard carry == 0 else { return nil }
        }
        self.bytes = bytes
    }

    /// The number; nil when it does not fit.
    public var number: UInt128? {
        guard bytes.prefix(16).allSatisfy({ $0 == 0 }) else { return nil }
        return bytes.suffix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// `0x` and 64 hexadecimal digits.
    public var hex: String { "0x" + Hex.encode(bytes) }

    /// By their number.
    public static func < (left: Word, right: Word) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}
