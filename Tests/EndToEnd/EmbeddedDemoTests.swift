import Foundation
import PrivatePostgres
import TestSupport
import Testing

/// The demo as a newcomer runs it: everything in one process, with the sample data.
@Suite(.enabled(if: TestInput.python != nil, "needs OPENLEDGER_TEST_PYTHON, a Python for the second verifier")) struct EmbeddedDemoTests {
    @Test(.timeLimit(.minutes(12))) func `the whole way comes true, and what it leaves convinces who was not there`() async throws {
        let folder = try TemporaryFolder("demo")
        let saved = folder.path("saved")
        let demo = try await ChildProcess(["demo", "--save", saved], environment: ["TMPDIR": folder.path])
        let status = await demo.process.wait(atMost: .seconds(600))
        try #require(status == .exited(0), "\(demo.output.suffix(4_000))")
        #expect(demo.output.split(separator: "\n").last == "audit: green")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["saved"])
        try await SavedDemo(folder: saved).check()
    }
}
