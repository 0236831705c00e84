/// The name of a word in an index: 128 bits of SipHash-2-4 (Aumasson and Bernstein, 2012, with the 128-bit output of the reference
/// code) under an index's own key. Two words of one corpus share it with a chance below 2^-80, and who does not know the key cannot
/// make them.
public struct WordHash: Sendable, Hashable, Comparable {
    /// The first eight bytes of the output, little-endian: what an index sorts by.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// Takes both halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Hashes a word under a key.
    public init(_ word: UnsafeRawBufferPointer, key: WordKey) {
        var v0 = key.k0 ^ 0x736f_6d65_7073_6575
        var v1 = key.k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        var v2 = key.k0 ^ 0x6c79_6765_6e65_7261
        var v3 = key.k1 ^ 0x7465_6462_7974_6573
        func rounds(_ count: Int) {
            for _ in 0..<count {
                v0 &+= v1
                v1 = (v1 << 13 | v1 >> 51) ^ v0
                v0 = v0 << 32 | v0 >> 32
                v2 &+= v3
                v3 = (v3 << 16 | v3 >> 48) ^ v2
                v0 &+= v3
                v3 = (v3 << 21 | v3 >> 43) ^ v0
                v2 &+= v1
                v1 = (v1 << 17 | v1 >> 47) ^ v2
                v2 = v2 << 32 | v2 >> 32
            }
        }
        var offset = 0
        while offset + 8 <= word.count {
            let block = UInt64(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            v3 ^= block
            rounds(2)
            v0 ^= block
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: word.count) << 56
        for index in offset..<word.count { last |= UInt64(word[index]) << UInt64((index - offset) * 8) }
        v3 ^= last
        rounds(2)
        v0 ^= last
        v2 ^= 0xee
        rounds(4)
        high = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        rounds(4)
        low = v0 ^ v1 ^ v2 ^ v3
    }

    /// By value, the high half first.
    public static func < (a: WordHash, b: WordHash) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }
}

/// The key that an index hashes its words under.
public struct WordKey: Sendable, Hashable {
    /// The first eight bytes, little-endian.
    public let k0: UInt64
    /// The last eight bytes.
    public let k1: UInt64

    /// Takes both halves.
    public init(k0: UInt64, k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    /// The key of texts that are compared with one another only, and stored nowhere.
    public static let local = WordKey(k0: 0x6f70_656e_6c65_6467, k1: 0x6572_2077_6f72_6473)
}
