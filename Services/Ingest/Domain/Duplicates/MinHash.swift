/// The bands of a MinHash signature (Broder 1997; Indyk and Motwani 1998): two texts share a band with a probability that
/// rises steeply with their resemblance.
enum MinHash {
    /// Bands and rows of each: at a resemblance of 0.8 a pair shares at least one band in 99.8 of 100 cases, at 0.5 in 28.
    static let bands = 21
    static let rows = 6
    static let size = bands * rows

    /// Odd multipliers and addends of the permutations x ↦ ax + b mod 2^32, fixed for ever.
    private static let parameters: (factors: [UInt32], addends: [UInt32]) = {
        var factors: [UInt32] = []
        var addends: [UInt32] = []
        var state: UInt64 = 0x6f70_656e_6c65_6467
        for _ in 0..<size {
            state &+= 0x9e37_79b9_7f4a_7c15
            let random = mix64(state)
            factors.append(UInt32(truncatingIfNeeded: random) | 1)
            addends.append(UInt32(truncatingIfNeeded: random >> 32))
        }
        return (factors, addends)
    }()

    /// A hash per band; none for a text without words.
    static func bands(of shingles: Shingles) -> [UInt64] {
        guard !shingles.hashes.isEmpty else { return [] }
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: size) { signature in
            signature.initialize(repeating: .max)
            parameters.factors.withUnsafeBufferPointer { factors in
                parameters.addends.withUnsafeBufferPointer { addends in
                    for hash in shingles.hashes {
                        // The finaliser of MurmurHash3: linear permutations of neighbouring values would keep their order.
                        var x = hash
                        x = (x ^ (x >> 16)) &* 0x85eb_ca6b
                        x = (x ^ (x >> 13)) &* 0xc2b2_ae35
                        x ^= x >> 16
                        for place in 0..<size {
                            let value = x &* factors[place] &+ addends[place]
                            signature[place] = min(signature[place], value)
                        }
                    }
                }
            }
            return (0..<bands).map { band in
                var hash = UInt64(band)
                for row in 0..<rows { hash = mix64(hash &* 0x100_0000_01b3 ^ UInt64(signature[band * rows + row])) }
                return hash
            }
        }
    }
}

extension Shingles {
    /// What near-duplicates share at least one of; none for a text without words.
    public func bands() -> [UInt64] { MinHash.bands(of: self) }
}
