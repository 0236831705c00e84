import Crypto
import Foundation
import HTTP
import HTTPClient
import Identity
import IngestDomain
import JSON
import PrivatePostgres

/// The real program with all its services, as a process of its own, and somebody who speaks to it by REST.
struct ProgramHouse {
    let process: Subprocess
    let url: String
    let folder: String
    private let transport: CurlTransport
    let key: Ed25519PrivateKey
    let principal: String
    private let token: String

    /// Starts the program that was built beside this one, or the one that OPENLEDGER_TEST_BINARY names, and registers a person.
    static func start() async throws -> ProgramHouse {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let program =
            ProcessInfo.processInfo.environment["OPENLEDGER_TEST_BINARY"] ?? (own as NSString).deletingLastPathComponent + "/openledger"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchmarkError("\(program) was not built: swift build -c release --product openledger")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-house-\(getpid())").path
        let process = try await Subprocess.start(
            [program, "up", "--data", folder, "--port", "0"],
            .init(
                environment: ProcessInfo.processInfo.environment.merging(["OPENLEDGER_ACCESS_LOG": "false"]) { $1 },
                output: .captured(limit: 1 << 16), errors: .captured(limit: 1 << 16), signalAtParentsEnd: .terminate))
        var url: String?
        for _ in 0..<1200 where url == nil {
            guard process.status == nil else { throw BenchmarkError("the program ended: \(process.errors.suffix(1000))") }
            url = process.output.split(separator: "\n").first { $0.hasPrefix("OpenLedger is up: ") }.map { String($0.dropFirst(18)) }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard let url else { throw BenchmarkError("the program was not up within two minutes") }
        let transport = try CurlTransport()
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        func post(_ path: String, _ body: JSONValue) async throws -> JSONValue {
            try await send(transport, "POST", url + path, token: nil, .bytes(JSON.write(body)), ["Content-Type": "application/json"]).json
        }
        func signed(_ text: String) throws -> JSONValue { .string(Base64URL.encode(try key.sign(Array(text.utf8)))) }
        let person = try await post(
            "/v1/principals", ["kind": "person", "key": .string(did), "signature": try signed("openledger/register\nperson\n\(did)\n")])
        let principal = person["principal"]?.stringValue ?? ""
        let time = ISO8601DateFormatter.string(from: Date(), timeZone: .gmt, formatOptions: [.withInternetDateTime]).dropLast() + ".000000Z"
        let opened = try await post(
            "/v1/keys/token",
            [
                "principal": .string(principal), "key": .string(did), "time": .string(String(time)),
                "signature": try signed("openledger/sign-in\n\(principal)\n\(did)\n\(time)"),
            ])
        guard let token = opened["token"]?.stringValue else { throw BenchmarkError("nobody could sign in") }
        return ProgramHouse(
            process: process, url: url, folder: folder, transport: transport, key: key, principal: principal, token: token)
    }

    func stop() async {
        process.send(signal: 15)
        if await process.wait(atMost: .seconds(60)) == nil { process.send(signal: 9) }
        await transport.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    struct Answer {
        let json: JSONValue
        let bytes: Int
    }

    func get(_ path: String) async throws -> Answer { try await Self.send(transport, "GET", url + path, token: token, .empty, [:]) }

    func post(_ path: String, _ body: JSONValue) async throws -> JSONValue {
        try await Self.send(transport, "POST", url + path, token: token, .bytes(JSON.write(body)), ["Content-Type": "application/json"])
            .json
    }

    private static func send(
        _ transport: CurlTransport, _ method: String, _ url: String, token: String?, _ body: ClientBody, _ headers: Headers
    ) async throws -> Answer {
        var request = ClientRequest(
            method: method, url: url, headers: headers, body: body, timeout: .seconds(3_600), maximumBodyBytes: 1 << 30)
        if let token { request.headers.set("Authorization", "Bearer " + token) }
        if method == "POST" { request.headers.set("Idempotency-Key", Hex.encode(Random.bytes(16))) }
        let response = try await transport.send(request)
        var kept: [UInt8] = []
        var count = 0
        for try await piece in response.body {
            count += piece.count
            if kept.count < 4 << 20 { kept += piece }
        }
        guard response.status < 300 else {
            throw BenchmarkError("\(method) \(url): \(response.status) \(String(decoding: kept.prefix(500), as: UTF8.self))")
        }
        return Answer(json: (try? JSON.parse(kept, limits: JSONLimits(bytes: 8 << 20, items: 1_000_000))) ?? .null, bytes: count)
    }

    /// An open Datanet for texts.
    func createDatanet(_ domain: String) async throws -> String {
        let policy: JSONValue = [
            "access": "open", "licences": ["CC-BY-4.0", "CC0-1.0", "Apache-2.0"], "treasury_points": 0, "curator_points": 0,
            "contributor_points": 10_000, "admission": "automatic", "minimum_quality": 0, "panel": 0, "quorum": 0, "voting": "role",
        ]
        let created = try await post("/v1/datanets", ["domain": .string(domain), "media": "text", "policy": policy])
        return created["datanet"]?.stringValue ?? ""
    }

    /// Begins a contribution of one file of JSON Lines and sends it.
    func upload<Chunks: AsyncSequence & Sendable>(
        _ datanet: String, bytes: Int, hash: Digest, kind: Manifest.Kind = .onBehalf, _ chunks: Chunks
    ) async throws -> String where Chunks.Element == [UInt8] {
        let manifest = Manifest(
            datanet: datanet, contributor: principal, kind: kind, signer: DIDKey.text(for: key.publicKey), licence: "CC-BY-4.0",
            files: [.init(name: "rows.jsonl", format: .jsonl, bytes: bytes, hash: hash)],
            columns: ColumnMap([
                .prompt: "prompt", .completion: "completion", .text: "text", .title: "topic", .source: "source", .author: "contributor",
                .licence: "license",
            ]))
        let signed = try SignedManifest(manifest, key: key)
        let begun = try await post(
            "/v1/contributions", ["manifest": manifest.json, "signature": .string(Base64URL.encode(signed.signature))])
        guard let id = begun["contribution"]?.stringValue else { throw BenchmarkError("no contribution came back") }
        _ = try await Self.send(
            transport, "PATCH", url + "/v1/contributions/\(id)/files/0", token: token, .stream(chunks, length: bytes),
            ["Content-Type": "application/octet-stream", "Upload-Offset": "0"])
        return id
    }

    /// Ends an upload and waits for its verdicts.
    func screen(_ contribution: String) async throws -> JSONValue {
        _ = try await post("/v1/contributions/\(contribution)/finish", .object(JSONObject()))
        while true {
            let now = try await get("/v1/contributions/\(contribution)").json
            if now["state"]?.stringValue == "failed" { throw BenchmarkError(now["problem"]?.stringValue ?? "it failed") }
            if now["state"]?.stringValue == "done" { return now }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A figure of the process by the kernel's word, such as `VmHWM`, in KiB.
    func kibibytes(_ name: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") } ?? 0
    }

    /// Seconds of processor time that the process has used.
    func processorSeconds() -> Double {
        let words = ((try? String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)) ?? "").split(separator: " ")
        return words.count > 15 ? ((Double(words[13]) ?? 0) + (Double(words[14]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK))) : 0
    }
}
