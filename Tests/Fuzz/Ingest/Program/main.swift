import Foundation
import IngestFuzzing

// A trap ends the process: the last line that it printed has the target and the seed with which it is had again.
let words = CommandLine.arguments.dropFirst()
guard let count = words.first.flatMap({ Int($0) }), let seed = words.dropFirst().first.flatMap({ UInt64($0) }) else {
    print(
        """
        usage: ingest-fuzz N SEED [TARGET …]   N inputs for each target (a hundredth of them for pdf, which is a process each)
        targets: \(IngestFuzz.Target.allCases.map(\.rawValue).joined(separator: " "))
        """)
    exit(2)
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Unbuffered: a trap loses nothing of it.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

let named = words.dropFirst(2).compactMap { IngestFuzz.Target(rawValue: $0) }
let fuzz = IngestFuzz()
do {
    for target in named.isEmpty ? IngestFuzz.Target.allCases : named {
        let inputs = target == .pdf ? max(1, count / 100) : count
        var taken = 0
        let start = ContinuousClock.now
        for number in 0..<inputs {
            // Each input has a seed of its own, so that one is had again without those before it.
            var random = Random(state: seed &+ UInt64(number) &* 0x2545_f491_4f6c_dd1d)
            if number % 10_000 == 0 { say("\(target.rawValue) from \(number), seed \(seed)") }
            if try await fuzz.once(target, &random) { taken += 1 }
        }
        say("\(target.rawValue): \(inputs) inputs, \(taken) taken, \(ContinuousClock.now - start)")
    }
} catch {
    say("found: \(error)")
    exit(1)
}
