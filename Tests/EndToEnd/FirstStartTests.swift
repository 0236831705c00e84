import Foundation
import Glibc
import PrivatePostgres
import TestSupport
import Testing

/// The first `up` of a folder, which makes an administrator, on days when it comes to nothing.
@Suite struct FirstStartTests {
    private static let shown = "The administrator's API key, shown this once: "

    private func key(_ output: String) -> String? {
        output.split(separator: "\n").first { $0.hasPrefix(Self.shown) }.map { String($0.dropFirst(Self.shown.count)) }
    }

    private func up(_ folder: TemporaryFolder, port: Int = 0, _ more: [String: String] = [:]) async throws -> ChildProcess {
        try await ChildProcess(["up", "--ledger-only", "--data", folder.path("home"), "--port", "\(port)"], environment: more)
    }

    /// Starts it, waits until it is up, and stops it again.
    private func once(_ folder: TemporaryFolder) async throws -> String {
        let house = try await up(folder)
        try await eventually("it is up", timeout: .seconds(120)) {
            house.output.contains("Ctrl-C stops.") || house.process.status != nil
        }
        #expect(await house.stop(timeout: .seconds(60)) == .exited(0), "\(house.output)")
        return house.output
    }

    @Test(.timeLimit(.minutes(6))) func `a key is made by the start that shows it, and who lost it makes another`() async throws {
        let folder = try TemporaryFolder("first")
        // Stopped while PostgreSQL starts.
        let stopped = try await up(folder)
        try await eventually("it begins", timeout: .seconds(60)) { stopped.output.contains("starting PostgreSQL") }
        stopped.process.send(signal: SIGINT)
        #expect(await stopped.process.wait(atMost: .seconds(90)) == .exited(130), "\(stopped.output)")
        #expect(key(stopped.output) == nil)
        // Its port is somebody else's.
        let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(taken) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try #require(bind(taken, pointer, count) == 0 && listen(taken, 1) == 0 && getsockname(taken, pointer, &count) == 0)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        let refused = try await up(folder, port: port)
        #expect(await refused.process.wait(atMost: .seconds(120)) == .exited(1), "\(refused.output)")
        #expect(refused.output.contains("\(port)") && key(refused.output) == nil, "\(refused.output)")

        let first = try #require(key(try await once(folder)))
        let command = try await ChildProcess(["key", "--new-administrator", "--data", folder.path("home")])
        #expect(await command.process.wait(atMost: .seconds(30)) == .exited(0), "\(command.output)")
        let second = try #require(key(command.output))
        #expect(second != first)
        let house = try await up(folder)
        try await eventually("it is up", timeout: .seconds(120)) { house.output.contains("Ctrl-C stops.") || house.process.status != nil }
        let url = try #require(
            house.output.split(separator: "\n").first { $0.hasPrefix("OpenLedger is up: ") }.map { String($0.dropFirst(18)) })
        #expect(await HTTPProbe.status(of: url + "/metrics", bearer: second) == 200)
        #expect(await HTTPProbe.status(of: url + "/metrics", bearer: first) == 401)
        #expect(key(house.output) == nil)
        await house.stop(timeout: .seconds(60))
        // What is there is left as it is where there is no house.
        let nowhere = try await ChildProcess(["key", "--new-administrator", "--data", folder.path("nowhere")])
        #expect(await nowhere.process.wait(atMost: .seconds(30)) == .exited(1) && nowhere.output.contains("there is no house"))
    }
}
