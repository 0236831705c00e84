import Glibc
import PrivatePostgres
import TestSupport
import Testing

@Suite struct SubprocessTests {
    @Test func outputAndErrorsAreCapturedApart() async throws {
        let outcome = try await Subprocess.run(
            ["sh", "-c", "echo out; echo err >&2; exit 3"], .init(errors: .captured(limit: 100)))
        #expect(outcome.status == .exited(3))
        #expect(outcome.output == "out\n")
        #expect(outcome.errors == "err\n")
        #expect(!outcome.timedOut)
    }

    @Test func onlyTheEndOfLongOutputIsKept() async throws {
        let outcome = try await Subprocess.run(["sh", "-c", "seq 1 200000"], .init(output: .captured(limit: 1000)))
        #expect(outcome.output.utf8.count == 1000)
        #expect(outcome.output.hasSuffix("199999\n200000\n"))
    }

    @Test func inputReachesTheChildWhole() async throws {
        let bytes = Array(repeating: UInt8(ascii: "x"), count: 300_000)
        let outcome = try await Subprocess.run(["wc", "-c"], .init(input: .bytes(bytes)))
        #expect(outcome.output == "300000\n")
    }

    @Test func aChildThatTakesTooLongIsKilledAndTheOutcomeSaysSo() async throws {
        let outcome = try await Subprocess.run(["sleep", "600"], timeout: .milliseconds(50))
        #expect(outcome.timedOut)
        #expect(outcome.status == .signalled(SIGKILL))
    }

    @Test func cancellingTheTaskKillsTheChild() async throws {
        let task = Task { try await Subprocess.run(["sleep", "600"], timeout: .seconds(600)) }
        task.cancel()
        #expect(try await task.value.status == .signalled(SIGKILL))
    }

    @Test func aMissingProgramIsAnError() async throws {
        await #expect(throws: Subprocess.StartError.self) { try await Subprocess.start(["/no/such/program"]) }
        await #expect(throws: Subprocess.StartError.self) { try await Subprocess.start([]) }
        await #expect(throws: Subprocess.StartError.self) {
            try await Subprocess.start(["true"], .init(workingDirectory: "/no/such/folder"))
        }
    }

    @Test func theEnvironmentIsExactlyWhatIsGiven() async throws {
        let outcome = try await Subprocess.run(["/usr/bin/env"], .init(environment: ["A": "1"]))
        #expect(outcome.output == "A=1\n")
    }

    @Test func descriptorsOfThisProcessAreNotPassedOn() async throws {
        let folder = try TemporaryFolder()
        let leaky = open(folder.path("file"), O_RDWR | O_CREAT, 0o600)  // without O_CLOEXEC
        defer { close(leaky) }
        let outcome = try await Subprocess.run(["readlink", "/proc/self/fd/\(leaky)"])
        #expect(!outcome.output.contains(folder.path))
    }

    @Test func aGrandchildThatKeepsThePipeOpenDelaysNothing() async throws {
        let outcome = try await Subprocess.run(["sh", "-c", "sleep 30 & echo $!"], timeout: .seconds(20))
        #expect(!outcome.timedOut)
        let grandchild = try #require(Int32(outcome.output.dropLast()))
        kill(grandchild, SIGKILL)
    }

    @Test func aSignalAfterTheEndGoesToNobody() async throws {
        let child = try await Subprocess.start(["true"])
        #expect(await child.wait() == .exited(0))
        #expect(!child.send(signal: SIGKILL))
    }
}
