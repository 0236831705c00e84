import Foundation
import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

private let nginx = Programs.installed("nginx")
private let curl = Programs.installed("curl")
private let openssl = Programs.installed("openssl")

/// The shipped configuration, run by a real nginx in a folder of its own, with every service at one address.
private final class Edge: Sendable {
    let folder: String
    let port: Int
    private let process: Process

    /// - Parameter servers: what stands in place of each service's `server` line, such as "127.0.0.1:7401" or "unix:/…".
    init(folder: String, port: Int, server: @Sendable (_ servicePort: Int) -> String) throws {
        self.folder = folder
        self.port = port
        let made = try Programs.run(
            openssl ?? "",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem",
            ])
        guard made.status == 0 else { throw Wire.Failure(description: made.output) }
        var shipped = try String(contentsOfFile: Programs.root + "/deploy/nginx/openledger.conf", encoding: .utf8)
        for number in 7_401...7_407 { shipped = shipped.replacingOccurrences(of: "@UPSTREAM_HOST@:\(number)", with: server(number)) }
        for (name, value) in [
            ("@NAME@", "localhost"), ("@CERTIFICATE@", folder + "/cert.pem"), ("@KEY@", folder + "/key.pem"),
            ("@LISTEN@", "127.0.0.1:\(port)"),
        ] { shipped = shipped.replacingOccurrences(of: name, with: value) }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }.joined(
            separator: " ")
        let user = geteuid() == 0 ? "user root;" : ""
        try """
        daemon off; worker_processes 1; pid \(folder)/nginx.pid; error_log \(folder)/error.log; \(user)
        events { worker_connections 256; }
        http { access_log off; \(temporary)
        \(shipped)
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        process = Process()
        process.executableURL = URL(fileURLWithPath: nginx ?? "")
        process.arguments = ["-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/error.log"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Waits until it answers.
    func awaitStart() throws {
        let end = ContinuousClock.now.advanced(by: .seconds(10))
        while ContinuousClock.now < end, process.isRunning {
            if let wire = try? Wire(port: port) {
                wire.hangUp(reset: false)
                return
            }
        }
        throw Wire.Failure(
            description: "nginx did not start: " + ((try? String(contentsOfFile: folder + "/error.log", encoding: .utf8)) ?? ""))
    }

    func curlArguments(_ path: String, _ more: [String]) -> [String] {
        ["-sS", "--http2", "--cacert", folder + "/cert.pem", "--resolve", "localhost:\(port):127.0.0.1", "--max-time", "20"] + more
            + ["https://localhost:\(port)\(path)"]
    }

    func curl(_ path: String, _ more: [String] = []) throws -> String {
        let (status, output) = try Programs.run(HTTPServerTests.curl ?? "", curlArguments(path, more))
        guard status == 0 else { throw Wire.Failure(description: "curl \(path): \(status) \(output)") }
        return output
    }

    /// A port that is free at the moment, and that the kernel gives to nobody by itself.
    static func freePort() async throws -> Int {
        while true {
            let port = Int.random(in: 20_000..<30_000)
            guard let server = try? Server(.ipv4("127.0.0.1", port: port), handler: { _ in Response() }) else { continue }
            await server.stop(grace: .zero)
            return port
        }
    }
}

/// Says which service it stands for, and does what `testApp` does under any service's path.
private func service(_ name: String, _ probe: Probe) -> Handler {
    let app = testApp(probe)
    return { request in
        if let query = request.query, query.hasPrefix("do=") {
            var inner = request
            inner.target = String(query.dropFirst(3))
            return try await app(inner)
        }
        let peer = request.peer.map { "\($0.address) \($0.isForwarded) \($0.isSecure)" } ?? "nobody"
        return Response(text: "\(name) \(request.method) \(request.target) \(request.headers["Host"] ?? "") \(peer)")
    }
}

@Suite(
    "Behind nginx", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: nginx != nil && curl != nil && openssl != nil, "nginx, curl and openssl must be installed"))
struct NginxTests {
    enum Inside: CaseIterable { case unix, tcp }

    /// Runs `body` beside nginx with the shipped configuration and one server for each service.
    private func withEdge(_ inside: Inside, _ body: @escaping @Sendable (Edge, Probe, [Server]) throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("edge-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let probe = Probe()
        var options = Options()
        options.limits.body = 64 << 20
        options.trustedProxies = try TrustedProxies(ranges: ["127.0.0.1"], unixSockets: true)
        var servers: [Server] = []
        for number in 7_401...7_407 {
            let address: Address = inside == .unix ? .unix("\(folder)/\(number).sock", mode: 0o660) : .ipv4("127.0.0.1", port: 0)
            servers.append(try Server(address, options: options, handler: service("\(number)", probe)))
        }
        let ports = servers.map(\.port), port = try await Edge.freePort(), all = servers
        let outcome: Result<Void, any Error>
        do {
            try await OSThread.run(name: "edge") {
                let edge = try Edge(folder: folder, port: port) {
                    inside == .unix ? "unix:\(folder)/\($0).sock" : "127.0.0.1:\(ports[$0 - 7_401])"
                }
                defer { edge.stop() }
                try edge.awaitStart()
                try body(edge, probe, all)
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        probe.openGate()
        for server in servers { await server.stop(grace: .zero) }
        try FileManager.default.removeItem(atPath: folder)
        try outcome.get()
    }

    @Test("each path reaches its service as it was written, with the client's address, over TLS and HTTP/2", arguments: Inside.allCases)
    func routes(_ inside: Inside) async throws {
        try await withEdge(inside) { edge, _, _ in
            let version = try edge.curl("/log/checkpoint", ["-o", "/dev/null", "-w", "%{http_version} %{http_code}"])
            #expect(version == "2 200")
            let forged = ["-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Forwarded-Proto: http"]
            let written = "/log/a%2Fb//c?x=%20y"
            let reached = try edge.curl(written, forged)
            #expect(reached == "7401 GET \(written) localhost:\(edge.port) 127.0.0.1 true true")
            for (path, port) in [
                ("/v1/contributions", 7402), ("/v1/contributors/1", 7402), ("/v1/datanets/x/snapshots/1/items", 7403),
                ("/v1/snapshots", 7403),
                ("/v1/proposals", 7403), ("/v1/rulings", 7403), ("/v1/base-models", 7404), ("/v1/adapters", 7404),
                ("/v1/training-jobs", 7404),
                ("/v1/runners", 7404), ("/v1/attributions", 7405), ("/v1/indexes", 7405), ("/v1/accounts", 7406), ("/v1/holds", 7406),
                ("/v1/settlements", 7406), ("/v1/disputes", 7406), ("/v1/stakes", 7406), ("/v1/epochs", 7406), ("/v1/claims", 7406),
                ("/v1/statements", 7406), ("/v1/receipts", 7406), ("/v1/principals", 7407), ("/v1/keys", 7407), ("/v1/inferences", 7407),
                ("/v1/agents", 7407), ("/v1/mandates", 7407), ("/v1/services", 7407), ("/v1/tasks", 7407), ("/v1/webhooks", 7407),
                ("/v1/models", 7407), ("/v1/chat/completions", 7407), ("/v1/completions", 7407), ("/v1/embeddings", 7407),
                ("/v1/files", 7407),
                ("/v1/fine_tuning/jobs", 7407), ("/mcp", 7407), ("/a2a", 7407), ("/x402", 7407), ("/.well-known/jwks.json", 7407),
            ] {
                let answer = try edge.curl(path)
                #expect(answer.hasPrefix("\(port) GET \(path) "), "\(path)")
            }
            for path in ["/", "/logs", "/v1", "/v1/holdsx", "/metrics", "/LOG"] {
                let status = try edge.curl(path, ["-o", "/dev/null", "-w", "%{http_code}"])
                #expect(status == "404", "\(path)")
            }
        }
    }

    @Test("events come as they happen, and a client that goes is noticed", arguments: Inside.allCases)
    func streams(_ inside: Inside) async throws {
        try await withEdge(inside) { edge, probe, servers in
            for path in ["/log?do=/quiet", "/log?do=/wait"] {
                let process = Process(), pipe = Pipe()
                process.executableURL = URL(fileURLWithPath: curl ?? "")
                process.arguments = edge.curlArguments(path, ["-N"])
                process.standardOutput = pipe
                process.standardError = FileHandle.nullDevice
                try process.run()
                #expect(probe.started.isSignalled(), "\(path)")
                // The first event is here while the stream goes on.
                if path.hasSuffix("quiet") { #expect(pipe.fileHandleForReading.availableData == Data(": hi\n\n".utf8)) }
                // Not SIGTERM: threads of the pool block it, and what they start inherits that.
                kill(process.processIdentifier, SIGKILL)
                let before = ContinuousClock.now
                #expect(probe.cancelled.isSignalled(), "\(path)")
                #expect(ContinuousClock.now - before < .seconds(2))
                process.waitUntilExit()
            }
            #expect(try edge.curl("/log?do=/events?3", ["-N"]).components(of: "data: event") == 3)
            _ = servers
        }
    }

    @Test("an upload passes through as it comes, held back by its reader", arguments: Inside.allCases)
    func uploads(_ inside: Inside) async throws {
        try await withEdge(inside) { edge, probe, servers in
            let size = 48 << 20
            let file = edge.folder + "/upload"
            try Data(repeating: 7, count: size).write(to: URL(fileURLWithPath: file))
            #expect(try edge.curl("/log?do=/upload", ["-T", file, "-X", "POST"]) == "\(size)")
            #expect(
                try edge.curl("/log?do=/upload", ["-T", file, "-X", "POST", "--http1.1", "-H", "Transfer-Encoding: chunked"]) == "\(size)")
            let before = servers[0].counters.bytesReceived
            let reply = Lock(""), done = DispatchSemaphore(value: 0)
            #expect(probe.started.isSignalled() && probe.started.isSignalled())
            OSThread.start(name: "upload") {
                let text = (try? edge.curl("/log?do=/slow-reader", ["-T", file, "-X", "POST"])) ?? "failed"
                reply.withLock { $0 = text }
                done.signal()
            }
            #expect(probe.started.isSignalled())
            // Nothing of it is read; what the server takes stays small, since nginx does not swallow the file first.
            _ = done.wait(timeout: .now() + 0.5)
            #expect(servers[0].counters.bytesReceived - before < 1 << 20)
            probe.openGate()
            #expect(done.isSignalled(within: 20))
            #expect(reply.withLock { $0 } == "\(size)")
        }
    }
}
