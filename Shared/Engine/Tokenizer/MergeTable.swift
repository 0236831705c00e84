/// The merges of a byte-pair vocabulary: from two tokens to their rank and the token they become. Open addressing, as a
/// dictionary's seeded hashing costs more than everything else in merging.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let shift: UInt64
    private(set) var count = 0
    private static let none = UInt64.max

    init(capacity: Int) {
        var bits: UInt64 = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        keys = Array(repeating: Self.none, count: 1 << bits)
        values = Array(repeating: Self.none, count: 1 << bits)
        shift = 64 - bits
    }

    private func slot(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> shift) }

    /// Adds a merge; false when the pair has one already. No more than the capacity may be added.
    mutating func insert(_ left: Int32, _ right: Int32, rank: Int32, token: Int32) -> Bool {
        let key = Self.key(left, right)
        var at = slot(key)
        while keys[at] != Self.none {
            if keys[at] == key { return false }
            at = (at + 1) & (keys.count - 1)
        }
        keys[at] = key
        values[at] = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: token))
        count += 1
        return true
    }

    /// The rank in the upper half and the token in the lower; `UInt64.max` when the two do not merge.
    @inline(__always)
    func entry(_ left: Int32, _ right: Int32) -> UInt64 {
        let key = Self.key(left, right)
        var at = slot(key)
        while true {
            let found = keys[at]
            if found == key { return values[at] }
            if found == Self.none { return Self.none }
            at = (at + 1) & (keys.count - 1)
        }
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}
