import Foundation
import PrivatePostgres

/// A real Kafka broker, started from the folder that OPENLEDGER_TEST_KAFKA names. It keeps its port over a kill and a
/// restart, and is killed and removed when the last reference goes, or at exit.
public final class TestKafka: Sendable {
    /// Whether there is one to be had: `@Test(.enabled(if: TestKafka.isAvailable))`.
    public static var isAvailable: Bool { TestInput.kafka != nil }

    /// `127.0.0.1:PORT`.
    public let bootstrap: String
    private let folder: String
    private let script: String

    /// Starts one.
    /// - Parameter settings: `key=value` for server.properties.
    public static func start(settings: [String] = []) async throws -> TestKafka {
        guard let place = TestInput.kafka else { throw NotInTime(description: "OPENLEDGER_TEST_KAFKA names no broker") }
        let script = place + "/kafka"
        // The script makes a random id, and one in 64 begins with a dash and is taken for an option.
        for _ in 1..<8 {
            do { return try await start(script, settings) } catch let error as NotInTime
                where error.description.contains("--cluster-id")
            {}
        }
        return try await start(script, settings)
    }

    private static func start(_ script: String, _ settings: [String]) async throws -> TestKafka {
        let folder = try TestFolders.claim("kafka-\(UUID().uuidString.prefix(8))")
        let said = try await run([script, "start", folder, "0"] + settings)
        guard let address = said.split(separator: "\n").last.map(String.init) else { throw NotInTime(description: "no address: \(said)") }
        return TestKafka(bootstrap: address, folder: folder, script: script)
    }

    private init(bootstrap: String, folder: String, script: String) {
        self.bootstrap = bootstrap
        self.folder = folder
        self.script = script
    }

    /// SIGKILL, as a crash would.
    public func kill() async throws { try await Self.run([script, "kill", folder]) }

    /// A clean stop.
    public func stop() async throws { try await Self.run([script, "stop", folder]) }

    /// Starts it again on the same port, with what it kept.
    public func restart() async throws { try await Self.run([script, "start", folder]) }

    /// One of Kafka's admin tools, for instance `admin("topics", "--delete", "--topic", "events")`.
    @discardableResult
    public func admin(_ tool: String, _ arguments: String...) async throws -> String {
        try await Self.run([script, tool, "--bootstrap-server", bootstrap] + arguments)
    }

    @discardableResult
    private static func run(_ command: [String]) async throws -> String {
        let outcome = try await Subprocess.run(command, .init(errors: .captured(limit: 16_384)), timeout: .seconds(120))
        guard outcome.status.isSuccess else { throw NotInTime(description: "\(command.joined(separator: " ")): \(outcome.errors)") }
        return outcome.output
    }

    deinit {
        TestFolders.killBroker(folder)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
