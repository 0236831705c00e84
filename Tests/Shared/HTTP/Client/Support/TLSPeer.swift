import Foundation
import Testing
import Threads

/// A server with TLS, which ours leaves to nginx: Python's own, ended with its standard input.
final class TLSPeer: Sendable {
    private static let script = """
        import http.server, os, ssl, sys, threading
        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            count = 0
            def setup(self):
                super().setup()
                Answer.count += 1
            def do_GET(self):
                cert = self.connection.getpeercert()
                who = cert["subject"][0][0][1] if cert else "nobody"
                body = f"{self.connection.version()} {who} {Answer.count}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                self.close_connection = True
            def log_message(self, *a): pass
        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, *a): pass
        folder, wants_client = sys.argv[1], sys.argv[2] == "client"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(folder + "/ca.pem")
        server = Quiet(("127.0.0.1", 0), Answer)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(server.server_address[1], flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        server.serve_forever()
        """

    let port: Int
    let certificates: Certificates
    private let process: Process
    private let input: Pipe

    var root: String { "https://localhost:\(port)/" }

    /// Runs `body` with a server and its certificates; waits for programs on a thread of its own.
    static func run(wantsClient: Bool = false, _ body: (TLSPeer) async throws -> Void) async throws {
        let peer = try await OSThread.run(name: "tls-peer") { try TLSPeer(Certificates(), wantsClient: wantsClient) }
        do {
            try await body(peer)
        } catch {
            try await peer.stop()
            throw error
        }
        try await peer.stop()
    }

    private init(_ certificates: Certificates, wantsClient: Bool) throws {
        let output = Pipe()
        (process, input) = (Process(), Pipe())
        self.certificates = certificates
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, certificates.folder, wantsClient ? "client" : "any"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            line += String(decoding: data, as: UTF8.self)
        }
        port = try #require(Int(line.dropLast()), "python3 has not started: \(line)")
    }

    private func stop() async throws {
        try await OSThread.run(name: "tls-peer") {
            try self.input.fileHandleForWriting.close()
            self.process.waitUntilExit()
            self.certificates.remove()
        }
    }
}
