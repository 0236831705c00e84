import Foundation
import Glibc
import PrivatePostgres
import TestSupport
import Testing

/// A demo that somebody ends before its end.
@Suite struct InterruptedDemoTests {
    @Test(.timeLimit(.minutes(5))) func `Ctrl-C leaves nothing behind, and what a killed one left the next one removes`() async throws {
        let folder = try TemporaryFolder("demo")
        func begin(_ events: Int) async throws -> ChildProcess {
            try await ChildProcess(["demo", "--log", "--events", "\(events)"], environment: ["TMPDIR": folder.path])
        }
        func left() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("openledger-demo-") }
        }
        func isAtWork(_ demo: ChildProcess) async throws {
            try await eventually("the story to begin", timeout: .seconds(90)) {
                FileManager.default.fileExists(atPath: folder.path("openledger-demo-\(demo.process.pid)/home/postgres"))
                    && demo.output.split(separator: "\n").count >= 2
            }
        }

        let stopped = try await begin(1_000_000)
        try await isAtWork(stopped)
        stopped.process.send(signal: SIGINT)
        #expect(await stopped.process.wait(atMost: .seconds(60)) == .exited(130), "\(stopped.output)")
        #expect(stopped.output.contains("interrupted"))
        #expect(try left().isEmpty)

        // Before there is a house to stop, and when the terminal is gone.
        let early = try await begin(1_000_000)
        try await eventually("it begins", timeout: .seconds(60)) { early.output.contains("Starting OpenLedger") }
        early.process.send(signal: SIGINT)
        #expect(await early.process.wait(atMost: .seconds(90)) == .exited(130), "\(early.output)")
        #expect(try left().isEmpty)
        let hungUp = try await begin(1_000_000)
        try await isAtWork(hungUp)
        hungUp.process.send(signal: SIGHUP)
        #expect(await hungUp.process.wait(atMost: .seconds(60)) == .exited(130), "\(hungUp.output)")
        #expect(try left().isEmpty)

        let killed = try await begin(1_000_000)
        try await isAtWork(killed)
        await killed.kill()
        #expect(try left() == ["openledger-demo-\(killed.process.pid)"])
        let last = try await begin(300)
        #expect(await last.process.wait(atMost: .seconds(120)) == .exited(0), "\(last.output)")
        #expect(try left().isEmpty)
    }
}
