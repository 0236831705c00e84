import Foundation
import PrivatePostgres
import TestSupport
import Testing

/// What a program may do that reads hostile documents.
@Suite struct ConfineTests {
    private func confined(_ command: String, input: String = "") async throws -> Subprocess.Outcome {
        let launcher = (ChildProcess.program as NSString).deletingLastPathComponent + "/openledger-confine"
        return try await Subprocess.run(
            [launcher, "2", "256", "/bin/bash", "-c", command],
            .init(input: .bytes(Array(input.utf8)), errors: .captured(limit: 4096), signalAtParentsEnd: .kill))
    }

    @Test func itReadsItsInputAndWritesItsOutput() async throws {
        let outcome = try await confined("read line; echo \"got $line\"", input: "this\n")
        #expect(outcome.status.isSuccess && outcome.output == "got this\n", "\(outcome)")
    }

    @Test func itReadsNoFiles() async throws {
        let folder = try TemporaryFolder("confine")
        let path = try folder.write("secret", to: "file")
        let outcome = try await confined("read line < \(path); echo \"$line\"")
        #expect(!outcome.output.contains("secret"), "\(outcome)")
        #expect(try await !confined("read line < /etc/passwd && echo read").output.contains("read"))
    }

    @Test func itWritesNoFiles() async throws {
        let folder = try TemporaryFolder("confine")
        #expect(chmod(folder.path, 0o777) == 0)
        _ = try await confined("echo x > \(folder.path)/made")
        let made = (try? String(contentsOfFile: folder.path("made"), encoding: .utf8)) ?? ""
        #expect(made.isEmpty)
    }

    @Test func itReachesNobody() async throws {
        let outcome = try await confined("exec 3<>/dev/tcp/127.0.0.1/1 && echo open")
        #expect(!outcome.output.contains("open"))
        #expect(outcome.errors.contains("not permitted"), "\(outcome)")
    }

    @Test func itSignalsNobodyButItself() async throws {
        let other = try await confined("kill -TERM \(getpid()) && echo sent")
        #expect(!other.output.contains("sent") && other.errors.contains("not permitted"), "\(other)")
        // Calls that shells have no word for, by their numbers: to this process, and to another.
        let script = """
            import ctypes, os, sys
            call = ctypes.CDLL(None, use_errno=True).syscall
            def tried(number, *arguments):
                return ctypes.get_errno() if call(number, *arguments) < 0 else 0
            tgkill = 234 if os.uname().machine == "x86_64" else 131
            queue = 129 if os.uname().machine == "x86_64" else 138
            print(tried(tgkill, os.getpid(), os.getpid(), 0), tried(tgkill, int(sys.argv[1]), int(sys.argv[1]), 0), tried(queue, int(sys.argv[1]), 0, None))
            """
        let launcher = (ChildProcess.program as NSString).deletingLastPathComponent + "/openledger-confine"
        let outcome = try await Subprocess.run(
            [launcher, "5", "512", "/usr/bin/python3", "-I", "-S", "-c", script, "\(getpid())"],
            .init(errors: .captured(limit: 4096), signalAtParentsEnd: .kill))
        #expect(outcome.output == "0 1 1\n", "\(outcome)")
    }

    @Test func itsTimeIsLimited() async throws {
        let outcome = try await confined("while :; do :; done")
        #expect(!outcome.status.isSuccess && !outcome.timedOut)
    }
}
