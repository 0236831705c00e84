import Foundation
import PrivatePostgres
import TestSupport

/// nginx in front of services on free ports: the configuration that ships, TLS and HTTP/2 by a certificate of its own.
final class EdgeServer: Sendable {
    let url: String
    /// What its TLS is to be trusted by.
    let certificate: String
    private let process: Subprocess

    /// Whether there is an nginx here.
    static var isAvailable: Bool { program != nil }

    private static let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].first { FileManager.default.isExecutableFile(atPath: $0) }

    /// - Parameter ports: where each service listens on this machine, by the port that the configuration names.
    static func start(in folder: String, ports: [Int: Int]) async throws -> EdgeServer {
        guard let program else { throw Unfit("needs nginx: apt-get install nginx-light") }
        let port = try freePort()
        let (key, certificate) = (folder + "/key.pem", folder + "/cert.pem")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try await Subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ])
        guard made.status.isSuccess else { throw Unfit("openssl: \(made.output)") }
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").dropFirst()
        var shipped = try String(contentsOfFile: root + "/deploy/nginx/openledger.conf", encoding: .utf8)
        for (named, actual) in ports {
            shipped = shipped.replacingOccurrences(of: "@UPSTREAM_HOST@:\(named)", with: "127.0.0.1:\(actual)")
        }
        for (name, value) in [
            ("@NAME@", "localhost"), ("@CERTIFICATE@", certificate), ("@KEY@", key), ("@LISTEN@", "127.0.0.1:\(port)"),
        ] { shipped = shipped.replacingOccurrences(of: name, with: value) }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        try """
        daemon off; worker_processes 1; pid \(folder)/nginx.pid; error_log \(folder)/error.log; \(geteuid() == 0 ? "user root;" : "")
        events { worker_connections 1024; }
        http { access_log off; \(temporary.joined(separator: " "))
        \(shipped)
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        let process = try await Subprocess.start(
            [program, "-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/error.log"],
            .init(output: .captured(limit: 1 << 16), signalAtParentsEnd: .kill))
        let edge = EdgeServer(url: "https://localhost:\(port)", certificate: certificate, process: process)
        do {
            // A plain request is answered with 400: it does listen.
            try await eventually("nginx to listen") { await HTTPProbe.status(of: "http://127.0.0.1:\(port)/") != nil }
        } catch {
            process.send(signal: 9)
            throw Unfit("nginx: \((try? String(contentsOfFile: folder + "/error.log", encoding: .utf8)) ?? "\(error)")")
        }
        return edge
    }

    private init(url: String, certificate: String, process: Subprocess) {
        self.url = url
        self.certificate = certificate
        self.process = process
    }

    func stop() async {
        process.send(signal: 15)
        _ = await process.wait()
    }

    deinit { process.send(signal: 9) }
}
