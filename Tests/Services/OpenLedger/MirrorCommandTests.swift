import Crypto
import EventLog
import Foundation
import HTTP
import HTTPClient
import HTTPServer
import TestSupport
import Testing

@testable import openledger

/// The mirror as it runs: over real sockets, stopped and started.
@Suite struct MirrorCommandTests {
    let log: CommandLog
    let copy: TemporaryFolder
    let transport: CurlTransport

    init() throws {
        log = try CommandLog(300)
        copy = try TemporaryFolder("mirror")
        transport = try CurlTransport()
    }

    /// Runs a mirror until `body` returns; gives its exit status.
    func withMirror(_ body: (String, Written) async throws -> Void) async throws -> (status: Int32, written: Written) {
        let written = Written()
        let (wish, continuation) = AsyncStream<Void>.makeStream()
        let arguments = [log.folder.path, "--folder", copy.path, "--listen", "0", "--name", "mirror.example/m", "--every", "1"]
        let running = Task {
            await MirrorCommand.run(arguments, console: written.console) { for await _ in wish { return } }
        }
        try await eventually("the mirror serves") { written.err.contains("(port ") }
        let port = written.err.split(separator: "(port ")[1].prefix { $0 != ")" }
        let url = "http://127.0.0.1:\(port)/log"
        try await eventually("the first copy") { try await get(url + "/checkpoint").status == 200 || written.err.contains("BAD") }
        try await body(url, written)
        continuation.finish()
        return (await running.value, written)
    }

    func get(_ url: String) async throws -> ClientResponse { try await transport.send(ClientRequest(url: url)) }

    func post(_ url: String, _ body: String) async throws -> (status: Int, type: String?, body: String) {
        // No Content-Type: the protocol asks for none.
        let response = try await transport.send(ClientRequest(method: "POST", url: url, body: .bytes(Array(body.utf8))))
        return (
            response.status, response.headers["Content-Type"],
            String(decoding: try await response.body.collect(upTo: 1 << 16), as: UTF8.self)
        )
    }

    func submission(_ old: Int, _ size: Int, _ note: String? = nil, of events: [[UInt8]]? = nil) async throws -> String {
        let folder = try CommandLog(size)
        if let events { try folder.write(size, of: events) }
        var tree = TileTree(source: FolderLogSource(folder.folder.path), size: UInt64(size))
        let proof = try await tree.consistencyProof(from: UInt64(min(old, size)))
        return AddCheckpointRequest(oldSize: UInt64(old), proof: proof.hashes, checkpoint: try note ?? log.note(size, of: events)).encoded
    }

    @Test func `a stranger audits the copy over HTTP, by the log's key and by the mirror's`() async throws {
        let (status, _) = try await withMirror { url, written in
            let plain = Written()
            #expect(
                await AuditCommand.run(["--log-only", url, "--key", log.signer.verifier.description], console: plain.console) == 0,
                "\(plain.err)")
            let cosigner = try #require(written.err.split(separator: "\n").first { $0.hasPrefix("Cosigning as ") }).dropFirst(
                "Cosigning as ".count)
            let policy = try copy.write("witness m \(cosigner)\nquorum m\n", to: "policy")
            let cosigned = Written()
            #expect(await AuditCommand.run(["--log-only", url, "--policy", policy], console: cosigned.console) == 0, "\(cosigned.err)")
            #expect(cosigned.out.contains("cosigned by mirror.example/m"))
            #expect(try await get(url + "/tile/0/001.p/45").status == 404, "beyond the copy")
            #expect(try await get(url + "/tile/0/001.p/20").status == 200, "the beginning of the partial tile")
            #expect(try await get(url + "/tile/0/%2e%2e/keys").status >= 400)
            // News reach the copy by themselves.
            try log.write(700)
            try await eventually("the copy keeps up") {
                try SignedCheckpoint(unverified: try await HTTPLogSource(transport: transport, url: url).checkpoint()).checkpoint.size
                    == 700
            }
        }
        #expect(status == 0)
        #expect(await AuditCommand.run(["--log-only", copy.path], console: Written().console) == 0)
    }

    @Test func `add-checkpoint answers as tlog-witness says`() async throws {
        _ = try await withMirror { url, _ in
            let place = url + "/add-checkpoint"
            let origin = SHA256.hash(utf8: CommandLog.origin).hex
            let good = try await post(place, try await submission(300, 500))
            #expect(good.status == 200 && good.type?.hasPrefix("text/plain") == true)
            #expect(good.body.hasPrefix("\u{2014} mirror.example/m ") && good.body.hasSuffix("\n"))
            #expect(try await get("\(url)/\(origin)/checkpoint").status == 200)
            #expect(try await get("\(url)/\(String(repeating: "0", count: 64))/checkpoint").status == 404)
            let stale = try await post(place, try await submission(300, 600))
            #expect(stale.status == 409 && stale.type == "text/x.tlog.size" && stale.body == "500\n")
            var forked = log.events
            forked.swapAt(0, 1)
            #expect(try await post(place, try await submission(500, 600, of: forked)).status == 422)
            let other = try #require(
                NoteSigner(name: CommandLog.origin, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))))
            #expect(try await post(place, try await submission(500, 600, try log.note(600, by: other))).status == 403)
            let foreign = try #require(
                NoteSigner(name: "else.example/log", key: try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))))
            let elsewhere = try log.note(600, by: foreign, origin: "else.example/log")
            #expect(try await post(place, try await submission(500, 600, elsewhere)).status == 404)
            #expect(try await post(place, try await submission(700, 600)).status == 400)
            #expect(try await post(place, "nonsense").status == 400)
            #expect(try await post(place, String(repeating: "x", count: 1 << 20)).status == 413)
        }
    }

    @Test func `a fork ends the mirror with status 1 and its evidence`() async throws {
        var forked = log.events
        forked.swapAt(0, 1)
        let (status, written) = try await withMirror { _, written in
            try log.write(300, of: forked)
            try await eventually("the mirror stops") { written.err.contains("THIS MIRROR STOPS") }
        }
        #expect(status == 1)
        #expect(written.err.contains("Both checkpoints were kept in"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: copy.path("evidence")).count == 1)
        #expect(await AuditCommand.run(["--log-only", copy.path], console: Written().console) == 0, "the good copy stays good")
    }

    @Test func `one key is kept for one mirror, readable for its owner only`() async throws {
        for _ in 0..<2 {
            #expect(
                await MirrorCommand.run([log.folder.path, "--folder", copy.path, "--once"], console: Written().console, until: {}) == 0)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: copy.path("mirror.key"))[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let note = try SignedCheckpoint(unverified: try String(contentsOfFile: copy.path("checkpoint"), encoding: .utf8)).note
        #expect(note.signatures.count == 2)
    }

    @Test(arguments: [("7500", "127.0.0.1:7500"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::1]:80", "[::1]:80"), ("unix:/run/m", "unix:/run/m")])
    func `addresses are read`(text: String, address: String) {
        #expect(MirrorAddress.parse(text)?.description == address)
    }

    @Test(arguments: ["", "x", "65536", "-1", ":80", "1.2.3.4:", "::1:80", "unix:", "07"])
    func `what is no address is refused`(text: String) {
        #expect(MirrorAddress.parse(text) == nil)
    }
}
