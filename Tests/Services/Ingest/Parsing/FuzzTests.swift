import Foundation
import IngestFuzzing
import TestSupport
import Testing

/// Some of what `ingest-fuzz` does by the million. OPENLEDGER_TEST_FUZZ says how many inputs for each reader.
@Suite struct FuzzTests {
    private static let count = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_FUZZ"].flatMap { Int($0) } ?? 300

    @Test(arguments: IngestFuzz.Target.allCases)
    func noInputBringsAReaderDown(target: IngestFuzz.Target) async throws {
        var random = Seed.generator()
        let fuzz = IngestFuzz()
        let inputs = target == .pdf ? max(5, Self.count / 100) : Self.count
        var taken = 0
        for _ in 0..<inputs { if try await fuzz.once(target, &random) { taken += 1 } }
        // Faults that nothing survives would test nothing, and a reader that takes everything would not read.
        #expect(target == .pdf || (1..<inputs).contains(taken), "\(taken) of \(inputs), seed \(random.seed)")
    }
}
