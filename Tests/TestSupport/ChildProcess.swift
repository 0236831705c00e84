import Foundation
public import PrivatePostgres

/// The built `openledger` program, run as a process of its own: for tests that kill it.
public final class ChildProcess: Sendable {
    /// The process; its output is in `output`.
    public let process: Subprocess

    /// The program that was built beside the tests, or the one OPENLEDGER_TEST_BINARY names.
    public static var program: String {
        if let given = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_BINARY"] { return given }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return (tests as NSString).deletingLastPathComponent + "/openledger"
    }

    /// Starts it; it ends with the test process, whatever happens to that.
    /// - Parameters:
    ///   - arguments: its verb and options.
    ///   - environment: added to this process's own.
    ///   - folder: its working folder.
    public init(_ arguments: [String], environment: [String: String] = [:], in folder: String? = nil) async throws {
        var all = ProcessInfo.processInfo.environment
        all.merge(environment) { _, given in given }
        process = try await Subprocess.start(
            [Self.program] + arguments,
            .init(environment: all, workingDirectory: folder, output: .captured(limit: 1 << 20), signalAtParentsEnd: .kill))
    }

    /// What it has written so far, errors included: the last MiB.
    public var output: String { process.output }

    /// Waits until a URL answers with 200.
    /// - Throws: what it wrote, when it ended or did not answer in time.
    public func waitUntilReady(_ url: String, timeout: Duration = .seconds(60)) async throws {
        do {
            try await eventually("\(url) to answer 200", timeout: timeout) {
                // An end ends the wait too; what it means is told apart below.
                if self.process.status != nil { return true }
                return await HTTPProbe.status(of: url) == 200
            }
        } catch {
            throw Ended(description: "\(error)\nits output:\n\(output.suffix(4000))")
        }
        if let status = process.status { throw Ended(description: "\(status)\nits output:\n\(output.suffix(4000))") }
    }

    /// Kills it with SIGKILL and waits until it is gone.
    public func kill() async {
        process.send(signal: 9)
        _ = await process.wait()
    }

    /// Asks it to stop (SIGTERM) and waits.
    /// - Returns: how it ended; after `timeout` it is killed.
    @discardableResult
    public func stop(timeout: Duration = .seconds(30)) async -> ExitStatus {
        process.send(signal: 15)
        if let status = await process.wait(atMost: timeout) { return status }
        process.send(signal: 9)
        return await process.wait()
    }

    /// Why a process did not become ready.
    public struct Ended: Error, CustomStringConvertible {
        /// In words, with the end of its output.
        public let description: String
    }

    deinit { process.send(signal: 9) }
}
