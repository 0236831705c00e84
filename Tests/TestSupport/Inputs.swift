import Foundation
import PrivatePostgres

/// What a test run takes from outside, by variables that `./openledger test` sets where it finds the things.
public enum TestInput {
    /// A PostgreSQL to use instead of a private one: a URL of a superuser. OPENLEDGER_TEST_POSTGRES.
    public static var postgres: String? { variable("OPENLEDGER_TEST_POSTGRES") }
    /// A folder with a real Kafka broker and its script. OPENLEDGER_TEST_KAFKA.
    public static var kafka: String? { variable("OPENLEDGER_TEST_KAFKA") }
    /// A folder of test vectors. OPENLEDGER_TEST_FIXTURES.
    public static var fixtures: String? { variable("OPENLEDGER_TEST_FIXTURES") }
    /// A folder of programs to measure beside. OPENLEDGER_TEST_PEERS.
    public static var peers: String? { variable("OPENLEDGER_TEST_PEERS") }
    /// A folder of real data sets, .jsonl files. OPENLEDGER_TEST_DATANETS.
    public static var datanets: String? { variable("OPENLEDGER_TEST_DATANETS") }
    /// A Python with the pinned test tools (h11, pymerkle …). OPENLEDGER_TEST_PYTHON.
    public static var python: String? { variable("OPENLEDGER_TEST_PYTHON") }
    /// A Python with torch, transformers and PEFT. OPENLEDGER_TEST_TORCH.
    public static var torch: String? { variable("OPENLEDGER_TEST_TORCH") }

    /// For how long the broker is away in the tests that take it away, beside what their own appends take. OPENLEDGER_TEST_KAFKA_AWAY,
    /// in seconds.
    public static var kafkaAway: Duration { .seconds(variable("OPENLEDGER_TEST_KAFKA_AWAY").flatMap { Int($0) } ?? 0) }

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A TCP port of 127.0.0.1 that nobody listens on now.
public func freePort() throws -> Int { try LoopbackPort.free() }
