import Foundation

/// The seed of this test run: random, or OPENLEDGER_TEST_SEED to repeat one. It is printed once, at first use.
public enum Seed {
    /// The run's seed.
    public static let value: UInt64 = {
        let given = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        FileHandle.standardError.write(Data("test seed \(seed): repeat with OPENLEDGER_TEST_SEED=\(seed)\n".utf8))
        return seed
    }()

    /// A generator for one test: depends on the run's seed and the name, never on the order in which tests run.
    public static func generator(_ name: String = #function) -> SeededGenerator {
        // FNV-1a, as Hasher is seeded per process.
        let hash = name.utf8.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return SeededGenerator(seed: value ^ hash)
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): small, quick, the same on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What it was made from: print it when a test fails.
    public let seed: UInt64
    private var state: UInt64

    /// The same seed gives the same numbers.
    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// So many random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// True with this probability.
    public mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}
