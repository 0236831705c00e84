import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import Identity
import LedgerService
import PrivatePostgres
import Telemetry
import Web

/// Appends through REST beside the same in process: wrk sends prepared requests from another process, so the CPU that is
/// counted is the ledger's own, tokens, routing, JSON and all.
enum RESTBenchmark {
    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        let bench = try await LogBench.start(cluster, database: "bench_rest")
        let key = try Ed25519PrivateKey.generate()
        let signer = TokenSigner(key: key, issuer: "billing")
        let verifier = try TokenVerifier(issuers: ["billing": PublicKeySet([signer.publicEntry])], audience: "ledger")
        var settings = ApplicationOptions()
        settings.accessLog = false
        let application = try Application(
            name: "bench", version: "0", mounts: [LedgerRoutes(bench.ledger).mount],
            authenticator: Authenticator(tokens: verifier, keys: nil, services: LedgerRoutes.services), log: .silent,
            metrics: bench.metrics,
            options: settings)
        let server = try await application.serve([.ipv4("127.0.0.1", port: 0)])
        let token = try signer.mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 3600)
        print("the same through REST (wrk in another process; CPU is the ledger's)")
        for callers in options.callers.isEmpty ? [1, 32, 256] : options.callers {
            let count = LogBench.count(for: callers, seconds: options.seconds)
            let events = try LogBench.events(count, tag: "p\(callers)")
            let client = bench.ledger.client(for: .billing)
            let inProcess = try await load(callers: callers, count: count) {
                _ = try await client.append(AppendRequest(events: [events[$0]]))
            }
            let bodies = try LogBench.events(LogBench.count(for: callers, seconds: options.seconds + 2), tag: "r\(callers)").map {
                LogWire.encode(AppendRequest(events: [$0]))
            }
            let before = bench.ledger.tail.size
            let cpu = processCPU(), log = logCPU()
            let report = try await Wrk.post(
                bodies, to: "http://127.0.0.1:\(server.port)/log/v1/append", token: token, connections: callers, seconds: options.seconds)
            let appended = Double(bench.ledger.tail.size - before)
            let perAppend = (processCPU() - cpu) / max(1, appended)
            let ofLog = (logCPU() - log) / max(1, appended)
            row("REST, \(callers) connections", thousands(report.rate), "p50 " + report.p50, "p99 " + report.p99, micro(perAppend) + " CPU")
            // What the log's threads use depends on how fast appends follow each other, and not on the way by which they come.
            let ofLogInProcess = inProcess.logCPU / Double(count)
            row(
                "  beside \(callers) callers in process", thousands(inProcess.perSecond), ratio(report.rate / inProcess.perSecond),
                "+" + micro(perAppend - ofLog - (inProcess.cpu / Double(count) - ofLogInProcess)) + " CPU",
                "log's \(micro(ofLog)), \(micro(ofLogInProcess))")
            if report.failures > 0 { throw BenchmarkError("\(report.failures) of the appends were refused") }
        }
        await server.stop(grace: .seconds(1))
        await bench.stop()
    }
}

/// wrk, as the distribution ships it.
enum Wrk {
    struct Report {
        let rate: Double
        let p50: String
        let p99: String
        let failures: Int
    }

    /// Each body once, in order.
    static func post(_ bodies: [[UInt8]], to url: String, token: String, connections: Int, seconds: Int) async throws -> Report {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-wrk-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var lines = Data()
        for body in bodies {
            lines.append(contentsOf: body)
            lines.append(0x0A)
        }
        try lines.write(to: folder.appendingPathComponent("bodies"))
        let script = folder.appendingPathComponent("post.lua")
        try """
        local next_line = io.lines("\(folder.path)/bodies")
        local headers = { ["Authorization"] = "Bearer \(token)", ["Content-Type"] = "application/json" }
        function request() return wrk.format("POST", nil, headers, next_line() or "{}") end

        """.write(to: script, atomically: true, encoding: .utf8)
        return try await run(["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "-s", script.path, url])
    }

    static func get(_ url: String, connections: Int, seconds: Int) async throws -> Report {
        try await run(["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", url])
    }

    private static func run(_ arguments: [String]) async throws -> Report {
        let outcome = try await Subprocess.run(["wrk"] + arguments)
        func field(_ name: String) -> String? {
            outcome.output.split(separator: "\n").first { $0.split(separator: " ").first.map { $0 == name } ?? false }?.split(
                separator: " "
            ).last.map(String.init)
        }
        guard let rate = field("Requests/sec:").flatMap({ Double($0) }) else {
            throw BenchmarkError("wrk said: \(outcome.output) \(outcome.errors); apt-get install wrk")
        }
        let failures = field("Non-2xx").flatMap { Int($0) } ?? 0
        return Report(rate: rate, p50: field("50%") ?? "?", p99: field("99%") ?? "?", failures: failures)
    }
}
