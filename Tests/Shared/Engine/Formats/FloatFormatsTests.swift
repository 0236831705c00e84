import Engine
import TestSupport
import Testing

/// Sixteen-bit numbers, all of them.
struct FloatFormatsTests {
    @Test func `every half and every bfloat16 survives the way to a single and back`() {
        for bits in UInt16.min...UInt16.max {
            let half = FloatFormats.single(float16: bits)
            if half.isNaN {
                #expect(FloatFormats.single(float16: FloatFormats.float16(half)).isNaN)
            } else if FloatFormats.float16(half) != bits {
                Issue.record("half \(bits)")
            }
            let brain = FloatFormats.single(bfloat16: bits)
            if brain.isNaN {
                #expect(FloatFormats.single(bfloat16: FloatFormats.bfloat16(brain)).isNaN)
            } else if FloatFormats.bfloat16(brain) != bits {
                Issue.record("bfloat16 \(bits)")
            }
        }
    }

    @Test func `a single becomes the nearest half and the nearest bfloat16, ties to even`() {
        var random = Seed.generator()
        for _ in 0..<20_000 {
            let bits = UInt32.random(in: 0...UInt32.max, using: &random)
            // Halves lie densely between 2^-26 and 2^17: half of the numbers are drawn from there.
            let value =
                Bool.random(using: &random)
                ? Float(bitPattern: bits)
                : Float.random(in: -70_000...70_000, using: &random) * Float(sign: .plus, exponent: -Int(bits % 30), significand: 1)
            guard !value.isNaN else { continue }
            let half = FloatFormats.float16(value)
            if half != Float16(value).bitPattern { Issue.record("\(value) as half: \(half), seed \(random.seed)") }
            let brain = FloatFormats.bfloat16(value), low = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
            let rest = value.bitPattern & 0xffff
            let up = rest > 0x8000 || (rest == 0x8000 && low & 1 == 1)
            if brain != (up ? low &+ 1 : low) { Issue.record("\(value) as bfloat16: \(brain), seed \(random.seed)") }
        }
    }
}
