/// Keccak-256 as Ethereum uses it: the sponge of the Keccak submission (rate 136 bytes, capacity 64) with the original padding
/// 0x01 … 0x80, not SHA3-256 of FIPS 202, whose padding begins with 0x06. libcrypto 3.0 has only the latter.
public enum Keccak256 {
    private static let rate = 136

    /// Hashes the bytes; 32 bytes come out.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var state = InlineArray<25, UInt64>(repeating: 0)
        var offset = 0
        while bytes.count - offset >= rate {
            absorb(bytes[offset..<offset + rate], into: &state)
            offset += rate
        }
        var last = Array(bytes[offset...])
        last.append(0x01)
        last.append(contentsOf: repeatElement(0, count: rate - last.count))
        last[rate - 1] |= 0x80
        absorb(last[...], into: &state)
        var out: [UInt8] = []
        out.reserveCapacity(32)
        for lane in 0..<4 {
            for byte in 0..<8 { out.append(UInt8(truncatingIfNeeded: state[lane] >> UInt64(8 * byte))) }
        }
        return out
    }

    private static func absorb(_ block: ArraySlice<UInt8>, into state: inout InlineArray<25, UInt64>) {
        var at = block.startIndex
        for lane in 0..<rate / 8 {
            var word: UInt64 = 0
            for byte in 0..<8 { word |= UInt64(block[at + byte]) << UInt64(8 * byte) }
            state[lane] ^= word
            at += 8
        }
        permute(&state)
    }

    /// Keccak-f[1600] (The Keccak reference 3.0, §1.2): θ, ρ and π, χ, ι, 24 times.
    private static func permute(_ a: inout InlineArray<25, UInt64>) {
        for constant in roundConstants {
            let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
            let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
            let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
            let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
            let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
            let d0 = c4 ^ turn(c1, 1)
            let d1 = c0 ^ turn(c2, 1)
            let d2 = c1 ^ turn(c3, 1)
            let d3 = c2 ^ turn(c4, 1)
            let d4 = c3 ^ turn(c0, 1)
            for row in 0..<5 {
                a[5 * row] ^= d0
                a[5 * row + 1] ^= d1
                a[5 * row + 2] ^= d2
                a[5 * row + 3] ^= d3
                a[5 * row + 4] ^= d4
            }
            var moving = a[1]
            for step in 0..<24 {
                let place = places[step]
                let next = a[place]
                a[place] = turn(moving, rotations[step])
                moving = next
            }
            for row in 0..<5 {
                let base = 5 * row
                let b0 = a[base]
                let b1 = a[base + 1]
                let b2 = a[base + 2]
                let b3 = a[base + 3]
                let b4 = a[base + 4]
                a[base] = b0 ^ (~b1 & b2)
                a[base + 1] = b1 ^ (~b2 & b3)
                a[base + 2] = b2 ^ (~b3 & b4)
                a[base + 3] = b3 ^ (~b4 & b0)
                a[base + 4] = b4 ^ (~b0 & b1)
            }
            a[0] ^= constant
        }
    }

    private static func turn(_ word: UInt64, _ by: UInt64) -> UInt64 { word << by | word >> (64 - by) }

    private static let rotations: [UInt64] = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    private static let places = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1]
    private static let roundConstants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000, 0x0000_0000_0000_808B,
        0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009, 0x0000_0000_0000_008A, 0x0000_0000_0000_0088,
        0x0000_0000_8000_8009, 0x0000_0000_8000_000A, 0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089,
        0x8000_0000_0000_8003, 0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]
}
