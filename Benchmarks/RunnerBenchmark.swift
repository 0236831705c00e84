import Crypto
import Engine
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import JSON
import LedgerService
import Postgres
import RunnerService
import ServiceShell
import Telemetry
import Web

/// The embedded runner as it serves: the model that ships with the product and many adapters on it, brought in from training's store when
/// they are first asked for (cold), and then at hand (warm).
enum RunnerBenchmark {
    private static let adapters = 100
    private static let tokens = 32
    private static let streams = 32

    static func run() async throws {
        let base = FileManager.default.currentDirectoryPath + "/models/base"
        let configuration = try ModelConfiguration(folder: base)
        var store: [String: [UInt8]] = [:]
        var names: [String] = []
        for seed in 0..<adapters {
            names.append(try keep(try Adapter.initial(LoRAOptions(), for: configuration, seed: UInt64(seed)), &store))
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-runner-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let transport = try await serve(store, folder.path, base)

        var cold: [Double] = []
        var warm: [Double] = []
        for name in names { cold.append(try await ask(transport, name, 1).first) }
        for name in names { warm.append(try await ask(transport, name, 1).first) }
        let plain = try await throughput(transport, [nil])
        let mixed = try await throughput(transport, names)
        row("\(adapters) adapters of \(store.values.reduce(0) { $0 + $1.count } / adapters >> 10) KiB", "p50", "p99")
        latencies("first token, adapter brought in (cold)", cold.sorted())
        latencies("first token, adapter at hand (warm)", warm.sorted())
        row("tokens a second, \(streams) streams of the base alone", thousands(plain))
        row("  the same over \(adapters) adapters mixed", thousands(mixed), ratio(mixed / plain))
    }

    private static func latencies(_ name: String, _ sorted: [Double]) {
        row(name, micro(sorted[sorted.count / 2]), micro(sorted[sorted.count * 99 / 100]))
    }

    /// Puts an adapter's files and their manifest into training's store.
    /// - Returns: the artefact's name.
    private static func keep(_ adapter: Adapter, _ store: inout [String: [UInt8]]) throws -> String {
        let files = try adapter.peft().files()
        var entries: [JSONValue] = []
        for (path, bytes) in [(PEFTAdapter.configurationFile, files.configuration), (PEFTAdapter.weightsFile, files.weights)] {
            let digest = SHA256.hash(bytes).prefixed
            store[digest] = bytes
            entries.append(["bytes": .int(Int64(bytes.count)), "path": .string(path), "sha256": .string(digest)])
        }
        let manifest = try JSON.canonical(["files": .array(entries)])
        let name = SHA256.hash(manifest).prefixed
        store[name] = manifest
        return name
    }

    private static func serve(_ store: [String: [UInt8]], _ folder: String, _ base: String) async throws -> InProcessTransport {
        let training = InProcessTransport { request in
            let digest = request.path.split(separator: "/").last.map(String.init) ?? ""
            guard let bytes = store[digest] else { return Response(status: 404) }
            return Response(body: .bytes(bytes))
        }
        let signer = TokenSigner(key: try Ed25519PrivateKey.generate(), issuer: "training")
        let context = ServiceContext(
            service: .training, log: HTTPLogClient(transport: training, base: "http://embedded/log") { nil },
            database: try PostgresConfiguration(url: "postgresql://nobody@localhost/none"),
            peers: Peers(transport: training, addresses: [.training: "http://embedded"], token: { _ in "" }), signer: signer,
            folder: folder,
            shared: folder, settings: Configuration(["OPENLEDGER_RUNNER_MODELS": "openledger-base=\(base)"]),
            clock: { LedgerClock.system.now() }, logger: .silent, metrics: Metrics())
        let service = try await RunnerService.open(context)
        let anybody = Authenticator { _ in Caller(subject: "bench", issuer: "bench", kind: .service, scopes: ["runners:serve"]) }
        let application = try Application(
            name: "bench", version: "0", mounts: [service.mount], authenticator: anybody, log: .silent, metrics: Metrics())
        let handler = application.handler
        return InProcessTransport { try await handler($0) }
    }

    /// - Returns: seconds to the first token, and how many came.
    private static func ask(_ transport: InProcessTransport, _ adapter: String?, _ most: Int) async throws -> (first: Double, tokens: Int) {
        var request = ClientRequest(method: "POST", url: "http://embedded/runner/v1/completions")
        request.headers.set("Authorization", "Bearer bench")
        request.headers.set("Content-Type", "application/json")
        request.body = .bytes(
            JSON.write(
                .members([
                    "model": "openledger-base", "prompt": "When does the harbour bar break?", "max_tokens": .int(Int64(most)),
                    "temperature": 1,
                    "seed": 7, "openledger_adapter": adapter.map { .string($0) },
                ])))
        let begun = monotonic()
        let response = try await transport.send(request)
        guard response.status == 200 else {
            throw BenchmarkError(
                "the runner answered \(response.status): \(String(decoding: try await response.body.collect(upTo: 4_096), as: UTF8.self))")
        }
        var first: Double?
        var tokens = 0
        for try await event in ServerSentEvents(response.body) where event.data != "[DONE]" {
            if first == nil { first = monotonic() - begun }
            tokens = (try JSON.parse(event.data))["usage"]?["completion_tokens"]?.intValue.map { Int($0) } ?? tokens
        }
        guard let first else { throw BenchmarkError("the runner said nothing") }
        return (first, tokens)
    }

    @inline(never)
    private static func throughput(_ transport: InProcessTransport, _ names: [String?]) async throws -> Double {
        let begun = monotonic()
        let all = try await withThrowingTaskGroup(of: Int.self) { group in
            for stream in 0..<streams {
                group.addTask {
                    var tokens = 0
                    for turn in 0..<8 {
                        let name = names[(stream * 31 + turn * 7) % names.count]
                        tokens += try await ask(transport, name, Self.tokens).tokens
                    }
                    return tokens
                }
            }
            var sum = 0
            for try await part in group { sum += part }
            return sum
        }
        return Double(all) / (monotonic() - begun)
    }
}
