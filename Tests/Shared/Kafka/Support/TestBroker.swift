import Foundation
import Glibc
import Threads

/// A real broker of the tests' own, started by the `kafka` launcher. It never outlives the tests: a guard process waits
/// for the end of a pipe that only this process holds, and then kills it, however this process ended.
final class TestBroker: Sendable {
    let address: String
    private let folder: String
    private let launcher: String
    private let lifeline: Int32

    static func start(launcher: String) async throws -> TestBroker {
        try await OSThread.run(name: "broker") { try TestBroker(launcher: launcher) }
    }

    private init(launcher: String) throws {
        self.launcher = launcher
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-kafka-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let afterwards = #"read -r _; [ -f "$1/pid" ] && kill -9 "$(cat "$1/pid")"; rm -rf "$1""#
        lifeline = try Subprocess.start(["setsid", "sh", "-c", afterwards, "guard", folder])
        address = try Self.startPatiently(launcher, folder)
    }

    /// The launcher draws a cluster id, and one in 64 begins with a dash and is taken for an option. It also gives up on
    /// a broker that needs more than a minute, and leaves that one behind.
    private static func startPatiently(_ launcher: String, _ folder: String) throws -> String {
        for _ in 1..<6 {
            do { return try start(launcher, folder) } catch { _ = try? Subprocess.run([launcher, "kill", folder]) }
        }
        return try start(launcher, folder)
    }

    deinit { close(lifeline) }

    /// `kill -9`, and waits until the process has gone.
    func kill() async throws {
        _ = try await OSThread.run(name: "broker") { [launcher, folder] in try Subprocess.run([launcher, "kill", folder]) }
    }

    /// Starts it again on the same data and port, where it does not run, and waits until it is ready.
    func restart() async throws {
        _ = try await OSThread.run(name: "broker") { [launcher, folder] in try Self.start(launcher, folder) }
    }

    private static func start(_ launcher: String, _ folder: String) throws -> String {
        // A broker of a test's length is faster when its code is compiled once and simply.
        let quick = "JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1"
        return try Subprocess.run(["env", quick, launcher, "start", folder, "0", "auto.create.topics.enable=false"])
    }
}
