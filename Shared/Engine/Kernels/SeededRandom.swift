internal import Glibc

/// Repeatable random numbers (SplitMix64; Steele, Lea and Flood, 2014): the same seed gives the same numbers everywhere.
struct SeededRandom: RandomNumberGenerator, Sendable, Equatable {
    private(set) var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0 ..< 1, 24 bits.
    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Uniform in 0 ..< bound without bias (Lemire, 2019).
    mutating func below(_ bound: Int) -> Int {
        let bound = UInt64(bound)
        var wide = next().multipliedFullWidth(by: bound)
        if wide.low < bound {
            let least = (0 &- bound) % bound
            while wide.low < least { wide = next().multipliedFullWidth(by: bound) }
        }
        return Int(wide.high)
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller, 1958), one number a call.
    mutating func normal() -> Float {
        let radius = (-2 * log(Double(next() >> 11 | 1) * 0x1p-53)).squareRoot()
        return Float(radius * cos(2 * Double.pi * Double(next() >> 11) * 0x1p-53))
    }

    /// 0 ..< count in a random order (Fisher and Yates).
    mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, below(index + 1)) }
        return order
    }
}
