import Foundation
import HTTP
import HTTPServer
import Testing

@Suite("A UNIX socket", .timeLimit(.minutes(1)))
struct UnixSocketTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("http-\(UUID().uuidString.prefix(8))").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("has the mode and group asked for, serves, and is gone when the server stops", arguments: [0o600, 0o660] as [UInt16])
    func serves(_ mode: UInt16) async throws {
        let path = folder + "/socket"
        let options = try Options.with { _ in }.believing(TrustedProxies(unixSockets: true))
        try await withServer(options, at: .unix(path, mode: mode, group: "\(getgid())")) { test in
            #expect(try self.mode(path) == Int(mode))
            let wire = try Wire(path: path)
            wire.get("/whoami")
            #expect(try wire.reply().body == "unix")
            wire.get("/whoami", fields: "X-Forwarded-For: 192.0.2.9\r\n")
            #expect(try wire.reply().body == "192.0.2.9")
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test("left behind by a process that was killed is taken over; one in use, and a file, are not")
    func stale() async throws {
        let path = folder + "/socket"
        let handler = testApp(Probe())
        // A socket that was bound and closed is what a killed process leaves.
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        #expect(bound == 0)
        close(descriptor)
        let server = try Server(.unix(path), handler: handler)
        #expect(throws: ServerError.self) { try Server(.unix(path), handler: handler) }
        await server.stop(grace: .zero)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ServerError.self) { try Server(.unix(path), handler: handler) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("precious".utf8))
        #expect(throws: ServerError.self) { try Server(.unix(folder + "/other", group: "no-such-group"), handler: handler) }
        try FileManager.default.removeItem(atPath: folder)
    }
}

extension Options {
    fileprivate func believing(_ proxies: TrustedProxies) -> Options {
        var options = self
        options.trustedProxies = proxies
        return options
    }
}
