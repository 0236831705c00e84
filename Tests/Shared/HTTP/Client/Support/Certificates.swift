import Foundation
import Testing

/// Throw-away certificates by the openssl command: an authority, a server for "localhost", a client, and an authority
/// that signed neither.
struct Certificates: Sendable {
    let folder: String
    var authority: String { folder + "/ca.pem" }
    var stranger: String { folder + "/stranger.pem" }
    func file(_ name: String) -> String { folder + "/" + name }

    init() throws {
        folder = NSTemporaryDirectory() + "client-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try authority("ca")
        try authority("stranger")
        try signed("server", "subjectAltName=DNS:localhost")
        try signed("client", "extendedKeyUsage=clientAuth")
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private func authority(_ name: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
            "-keyout", file(name + ".key"), "-out", file(name + ".pem"),
        ])
    }

    private func signed(_ name: String, _ extensions: String) throws {
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)", "-keyout",
            file(name + ".key"), "-out", file(name + ".csr"),
        ])
        try Data(extensions.utf8).write(to: URL(fileURLWithPath: file(name + ".ext")))
        try openssl([
            "x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2",
            "-extfile", file(name + ".ext"), "-out", file(name + ".pem"),
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments.first ?? "")")
    }
}
