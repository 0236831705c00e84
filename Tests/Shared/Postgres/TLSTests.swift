import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite struct TLSTests {
    /// An authority and a certificate of it for `localhost`, made by the openssl program.
    private static func makeCertificates(in folder: TemporaryFolder, authority: String) async throws {
        let commands = [
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=\(authority)",
                "-keyout", folder.path("\(authority).key"), "-out", folder.path("\(authority).pem"),
            ],
            [
                "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-keyout", folder.path("\(authority)-server.key"), "-out", folder.path("\(authority)-server.csr"),
            ],
            [
                "openssl", "x509", "-req", "-days", "2", "-in", folder.path("\(authority)-server.csr"), "-CA",
                folder.path("\(authority).pem"),
                "-CAkey", folder.path("\(authority).key"), "-CAcreateserial", "-out", folder.path("\(authority)-server.pem"),
            ],
        ]
        for command in commands {
            let outcome = try await Subprocess.run(["/usr/bin/env"] + command, .init(), timeout: .seconds(60))
            try #require(outcome.status.isSuccess, "\(outcome.output)")
        }
    }

    @Test func theServersCertificateIsCheckedAsTheModeSays() async throws {
        let folder = try TemporaryFolder("tls")
        try await Self.makeCertificates(in: folder, authority: "right")
        try await Self.makeCertificates(in: folder, authority: "wrong")
        func text(_ name: String) throws -> String { try String(contentsOfFile: folder.path(name), encoding: .utf8) }
        let cluster = try await PrivateCluster.start(
            directory: folder.path("pg"),
            options: ClusterOptions(
                settings: ["fsync": "off"], accessRules: ["hostnossl all all 127.0.0.1/32 reject"], tcp: .loopback(port: 0),
                tls: .init(certificate: try text("right-server.pem"), key: try text("right-server.key"))))

        func connect(_ host: String, _ mode: PostgresConfiguration.SSLMode, _ root: String?) async throws -> Bool {
            var configuration = PostgresConfiguration(
                host: host, port: cluster.port, database: cluster.database, user: cluster.superuser, password: try cluster.password())
            configuration.sslMode = mode
            configuration.sslRootCertificate = root.map { folder.path($0) }
            let connection = try await PostgresConnection.connect(configuration)
            let usesTLS = try await connection.withSession { $0.usesTLS }
            try await connection.execute("select repeat('x', 100000)")
            await connection.close()
            return usesTLS
        }
        #expect(try await connect("localhost", .verifyFull, "right.pem"))
        #expect(try await connect("127.0.0.1", .verifyCA, "right.pem"))
        #expect(try await connect("127.0.0.1", .require, nil))
        #expect(try await connect("127.0.0.1", .prefer, nil))

        // The wrong authority, the wrong name, no authority at all, and no TLS where the server wants it.
        let authority = try await postgresError { _ = try await connect("localhost", .verifyFull, "wrong.pem") }
        #expect(authority.message.contains("certificate verify failed"))
        let another = try await postgresError { _ = try await connect("127.0.0.1", .verifyCA, "wrong.pem") }
        #expect(another.message.contains("certificate verify failed"))
        let name = try await postgresError { _ = try await connect("127.0.0.1", .verifyFull, "right.pem") }
        #expect(name.message.contains("127.0.0.1"))
        let missing = try await postgresError { _ = try await connect("localhost", .verifyFull, "none.pem") }
        #expect(missing.message.contains("none.pem"))
        let plain = try await postgresError { _ = try await connect("127.0.0.1", .disable, nil) }
        #expect(plain.code == .invalidAuthorization)

        // A wrong password carries the server's code, and is nowhere to be read.
        var configuration = PostgresConfiguration(
            host: "localhost", port: cluster.port, database: cluster.database, user: cluster.superuser, password: "hunter2")
        configuration.sslMode = .require
        let wrong = configuration
        let refused = try await postgresError { _ = try await PostgresConnection.connect(wrong) }
        #expect(refused.code == .invalidPassword)
        #expect(!"\(refused)".contains("hunter2"))
        try await cluster.stop()
    }
}
