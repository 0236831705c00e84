import AgentGatewayDomain
import Crypto
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import JSON
import PrivatePostgres

/// `openledger up` as it is shipped, in front of the stub: a model with a price, a payer with money, an API key with limits.
struct GatewayUnderTest {
    let target: StreamTarget
    private let process: Subprocess
    private let folder: URL

    static func start(stub: Int, _ transport: CurlTransport) async throws -> GatewayUnderTest {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("openledger").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchmarkError("\(program) is missing: swift build -c release")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-gateway-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let backends: JSONValue = [
            "backends": [
                [
                    "name": "stub", "kind": "openai", "url": .string("http://127.0.0.1:\(stub)"), "bases": ["openledger-base": "stub"],
                    "concurrency": 512,
                ]
            ]
        ]
        try Data(JSON.write(backends)).write(to: folder.appendingPathComponent("backends.json"))
        var environment = ProcessInfo.processInfo.environment
        environment["OPENLEDGER_BACKENDS"] = folder.appendingPathComponent("backends.json").path
        let process = try await Subprocess.start(
            [program, "up", "--data", folder.appendingPathComponent("home").path, "--port", "0"],
            .init(
                environment: environment, errors: .file(folder.appendingPathComponent("log").path),
                signalAtParentsEnd: .terminate))
        do {
            let (url, administrator) = try await announced(process)
            let caller = GatewayCaller(url: url, transport: transport)
            let key = try await prepare(caller, administrator)
            return GatewayUnderTest(
                target: StreamTarget(name: "openledger", url: url, key: key, model: "house/base", process: process.pid), process: process,
                folder: folder)
        } catch {
            let log = (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
            process.send(signal: SIGTERM)
            _ = await process.wait()
            try? FileManager.default.removeItem(at: folder)
            throw BenchmarkError("openledger up: \(error)\n\(process.output)\n\(log.suffix(2_000))")
        }
    }

    func stop() async {
        process.send(signal: SIGTERM)
        _ = await process.wait()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func announced(_ process: Subprocess) async throws -> (url: String, administrator: String) {
        for _ in 0..<600 {
            let lines = process.output.split(separator: "\n").map(String.init)
            func rest(_ prefix: String) -> String? { lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } }
            if let url = rest("OpenLedger is up: "), let key = rest("The administrator's API key, shown this once: ") { return (url, key) }
            guard process.status == nil else { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchmarkError("it was not up within a minute")
    }

    private static func prepare(_ caller: GatewayCaller, _ administrator: String) async throws -> String {
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        func signed(_ message: [UInt8]) throws -> JSONValue { .string(Base64URL.encode(try key.sign(message))) }
        let person =
            try await caller.call(
                "POST", "/v1/principals", nil,
                [
                    "kind": "person", "key": .string(did),
                    "signature": try signed(ProofMessages.registration(kind: "person", key: did, owner: nil)),
                ])["principal"]?.stringValue ?? ""
        let time = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
        let token =
            try await caller.call(
                "POST", "/v1/keys/token", nil,
                [
                    "principal": .string(person), "key": .string(did), "time": .string(time.description),
                    "signature": try signed(ProofMessages.signIn(principal: person, key: did, time: time)),
                ])["token"]?.stringValue ?? ""
        _ = try await caller.call("POST", "/v1/accounts", administrator, ["account": .string("payer:" + person), "asset": "USDC/6"])
        let amount: (String) -> JSONValue = { ["asset": "USDC/6", "amount": .string($0)] }
        _ = try await caller.call(
            "POST", "/v1/accounts/payer:\(person)/deposits", administrator,
            ["amount": amount("1000000000000"), "rail": "bank", "reference": "benchmark"])
        try await caller.until("the base model") {
            (try await caller.call("GET", "/v1/base-models", token)["items"]?.arrayValue ?? []).count > 0
        }
        _ = try await caller.call(
            "POST", "/v1/adapters", token,
            [
                "model": "house/base", "base": "openledger-base",
                "price": ["request": amount("1"), "input": amount("1000"), "output": amount("2000")],
                "split": ["owner": 9_000, "datanets": 0, "contributors": 0, "validators": 0, "compute": 1_000],
            ])
        let secret =
            try await caller.call(
                "POST", "/v1/keys", token,
                ["limits": ["minute": ["requests": 100_000_000, "tokens": 1_000_000_000_000], "budget": amount("1000000000000")]]
            )["secret"]?.stringValue ?? ""
        try await caller.until("the model") { (try await caller.call("GET", "/v1/models", secret)["data"]?.arrayValue ?? []).count > 0 }
        return secret
    }
}

/// Calls the product's REST interface.
struct GatewayCaller: Sendable {
    let url: String
    let transport: CurlTransport

    func call(_ method: String, _ path: String, _ credential: String?, _ json: JSONValue? = nil) async throws -> JSONValue {
        var request = ClientRequest(method: method, url: url + path, timeout: .seconds(20))
        if let credential { request.headers.set("Authorization", "Bearer " + credential) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.headers.set("Idempotency-Key", Hex.encode(Random.bytes(16)))
            request.body = .bytes(JSON.write(json))
        }
        let response = try await transport.send(request)
        let bytes = try await response.body.collect(upTo: 1 << 22)
        guard response.status < 300 else {
            throw BenchmarkError("\(method) \(path): \(response.status) \(String(decoding: bytes.prefix(500), as: UTF8.self))")
        }
        return bytes.isEmpty ? .null : try JSON.parse(bytes)
    }

    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchmarkError("\(what) did not come within half a minute")
    }
}
