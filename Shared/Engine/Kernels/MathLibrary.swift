internal import CKernels
public import Crypto
internal import Glibc

/// The system's library of functions (sine, power, logarithm), the one thing outside this engine that its numbers hang on. Libraries
/// differ in the last places of what they give; a repeat byte for byte needs one that gives the same as the recorded one.
public enum MathLibrary {
    /// What it calls itself, such as `glibc 2.36`: for people. Two of one name may differ, and two of different names agree.
    public static let name: String = {
        let version = String(cString: engine_libc())
        return version.isEmpty ? "unknown" : "glibc " + version
    }()

    /// Names what it gives where the engine asks it: SHA-256 of rotary positions, drawn numbers, step widths, corrections, odds and losses, each rounded as the
    /// engine takes it. Libraries that differ below that are the same to it.
    public static let digest: Digest = digest(of: Functions())

    /// The functions that are asked; the system's where nothing else is said.
    struct Functions {
        var power: (Double, Double) -> Double = { pow($0, $1) }
        var cosine: (Double) -> Double = { cos($0) }
        var sine: (Double) -> Double = { sin($0) }
        var logarithm: (Double) -> Double = { log($0) }
        var singleLogarithm: (Float) -> Float = { log($0) }
        var singlePower: (Float, Float) -> Float = { powf($0, $1) }
        var singleExponential: (Float) -> Float = { expf($0) }
    }

    static func digest(of functions: Functions) -> Digest {
        var bytes: [UInt8] = []
        func put(_ value: Float) {
            let bits = value.bitPattern
            for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        }
        // Rotary positions, of the bases of frequency that models have. See RotaryTable.
        for base in [10_000.0, 500_000, 1_000_000] {
            for pair in 0..<64 {
                let frequency = Float(functions.power(base, -Double(2 * pair) / 128))
                put(frequency)
                for position in stride(from: 1, through: 8_191, by: 210) {
                    let angle = Double(Float(position) * frequency)
                    put(Float(functions.cosine(angle)))
                    put(Float(functions.sine(angle)))
                }
            }
        }
        // What an adapter begins with. See SeededRandom.normal.
        var random = SeededRandom(1)
        for _ in 0..<2_000 {
            let radius = (-2 * functions.logarithm(Double(random.next() >> 11 | 1) * 0x1p-53)).squareRoot()
            put(Float(radius * functions.cosine(2 * Double.pi * Double(random.next() >> 11) * 0x1p-53)))
        }
        // Step widths, and the logarithms of losses, which early stopping looks at.
        for step in 0..<500 { put(Float(functions.cosine(Double(Float(step) / 500) * .pi))) }
        for step in 1...500 { put(functions.singleLogarithm(Float(step) * 1.37)) }
        // What a step's moments are corrected by (see TrainingRun), and the odds that labels are drawn by (see CurvatureFit).
        for step in 1...1_000 {
            put(functions.singlePower(0.9, Float(step)))
            put(functions.singlePower(0.999, Float(step)))
            put(functions.singleExponential(-Float(step) * 0.0173))
        }
        return SHA256.hash(bytes)
    }
}
