import JSON

/// Numbers that look random and are the same for the same seed, so that a failure can be run again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

extension Seeded {
    private static let pieces = [
        "", "a", "b", "id", "1", "10", "é", "e\u{301}", "ö", "€", "\u{fb33}", "\u{ffff}", "😀", "𐀀", "\u{e000}", "\u{d7ff}",
        "\"", "\\", "/", "\u{0}", "\u{8}", "\t", "\n", "\u{c}", "\r", "\u{1f}", "\u{7f}", "\u{80}", "long enough for a word of it",
    ]

    mutating func text() -> String {
        (0..<Int.random(in: 0...3, using: &self)).map { _ in Self.pieces.randomElement(using: &self) ?? "" }.joined()
    }

    mutating func double() -> Double {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: Double(Int.random(in: -1_000_000...1_000_000, using: &self)) / 1000
        case 1: Double(Int64.random(in: .min ... .max, using: &self))
        default:
            {
                let number = Double(bitPattern: $0)
                return number.isFinite ? number : 0.5
            }(next())
        }
    }

    mutating func value(depth: Int = 4, fractions: Bool = true) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: .null
        case 1: .bool(Bool.random(using: &self))
        case 2: .int(Int64.random(in: -9_007_199_254_740_991...9_007_199_254_740_991, using: &self))
        case 3: fractions ? .double(double()) : .int(Int64.random(in: -9...9, using: &self))
        case 4, 5: .string(text())
        case 6:
            .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth - 1, fractions: fractions) })
        default:
            .object(
                JSONObject(
                    (0..<Int.random(in: 0...(Bool.random(using: &self) ? 5 : 22), using: &self)).map { _ in
                        (text(), value(depth: depth - 1, fractions: fractions))
                    }))
        }
    }

    /// The bytes with a few small changes, most of which make them wrong.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes.remove(at: at)
            case 1: bytes.insert(bytes[Int.random(in: bytes.indices, using: &self)], at: at)
            case 2: bytes[at] = UInt8.random(in: 0...255, using: &self)
            case 3: bytes.insert(contentsOf: Array(#" {}[],:"\-+.eE0129ntfu"#.utf8).shuffled(using: &self).prefix(1), at: at)
            case 4: bytes.swapAt(at, Int.random(in: bytes.indices, using: &self))
            default:
                let end = min(bytes.count, at + Int.random(in: 1...12, using: &self))
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: bytes.indices, using: &self))
            }
        }
        return bytes
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
