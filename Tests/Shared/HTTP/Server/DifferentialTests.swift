import Foundation
import Testing
import Threads

private let python = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_PYTHON"]

@Suite("The parser", .timeLimit(.minutes(10)))
struct DifferentialTests {
    @Test(
        "accepts no mutated request that h11 refuses, and reads none differently",
        .enabled(if: python != nil, "set OPENLEDGER_TEST_PYTHON to a Python that has h11 (pip install h11==0.16.0)"))
    func besideH11() async throws {
        let program = try #require(Programs.ours("http-fuzz"), "http-fuzz was not built")
        let seeds = 5
        let count = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_REQUESTS"].flatMap { Int($0) } ?? 100_000
        for _ in 0..<seeds {
            let seed = UInt64.random(in: 1...UInt64.max)
            let (status, output) = try await OSThread.run(name: "h11") {
                try Programs.run(
                    python ?? "", [Programs.root + "/Tests/Fuzz/HTTP/differential.py", program, "\(count / seeds)", "\(seed)"])
            }
            #expect(status == 0, "seed \(seed)\n\(output)")
        }
    }

    @Test("gives the same verdict however mutated requests are cut, and never traps")
    func cuts() async throws {
        let program = try #require(Programs.ours("http-fuzz"), "http-fuzz was not built")
        let seed = UInt64.random(in: 1...UInt64.max)
        let (status, output) = try await OSThread.run(name: "fuzz") { try Programs.run(program, ["run", "3", "\(seed)"]) }
        #expect(status == 0 && output.contains("every cut agrees"), "seed \(seed)\n\(output)")
    }
}
