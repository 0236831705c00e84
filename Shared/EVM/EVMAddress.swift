public import Crypto

/// An Ethereum address: 20 bytes. Its text here is `0x` and 40 lower-case hexadecimal digits, one text per address.
public struct EVMAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 20 bytes.
    public let bytes: [UInt8]

    /// Reads `0x` and 40 hexadecimal digits; digits in mixed case must be the EIP-55 checksum. The zero address is nobody's.
    public init?(_ text: String) {
        guard text.utf8.count == 42, text.hasPrefix("0x") else { return nil }
        let digits = String(text.dropFirst(2))
        guard let bytes = Hex.decode(digits.lowercased()), bytes.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
        if digits != digits.lowercased(), checksummed != text { return nil }
    }

    /// The address of a key: the last 20 bytes of the Keccak-256 of its point.
    public init(_ key: Secp256k1PublicKey) { bytes = Array(Keccak256.hash(key.point).suffix(20)) }

    /// An address that no key has: the last 20 bytes of a text's Keccak-256. It names something of ours where Ethereum's formats want an address.
    public init(naming text: String) { bytes = Array(Keccak256.hash(Array(text.utf8)).suffix(20)) }

    /// `0x` and 40 lower-case hexadecimal digits.
    public var description: String { "0x" + Hex.encode(bytes) }

    /// With capitals where EIP-55 puts them.
    public var checksummed: String {
        let digits = Array(Hex.encode(bytes).utf8)
        let hash = Keccak256.hash(digits)
        let text = digits.enumerated().map { index, digit -> UInt8 in
            let nibble = index % 2 == 0 ? hash[index / 2] >> 4 : hash[index / 2] & 15
            return nibble >= 8 && digit >= 0x61 ? digit - 0x20 : digit
        }
        return "0x" + String(decoding: text, as: UTF8.self)
    }

    /// In the order of their bytes.
    public static func < (left: EVMAddress, right: EVMAddress) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}
