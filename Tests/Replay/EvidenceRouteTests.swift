import Blobs
import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import Testing
import Web

@Suite struct EvidenceRouteTests {
    @Test func `evidence lies beside the log for everybody, in the layout of a bundle`() async throws {
        try await withServiceHouse { house in
            let store = try house.context(.billing).openEvidence()
            let kept = try await store.put(["list": [1, 2, 3]])
            try house.mount([EvidenceRoutes { store }.mount])
            let log = HTTPLogSource(transport: house.transport, url: "http://house/log", attempts: 1)
            #expect(try await log.evidence(kept.hash) == JSON.canonical(["list": [1, 2, 3]]))
            #expect(try await log.evidence(SHA256.hash(utf8: "nobody's")) == nil)
            for path in ["aa/\(kept.hash.hex)", "\(kept.hash.hex.prefix(2))/\(kept.hash.hex.uppercased())"] {
                let answer = try await house.transport.send(ClientRequest(url: "http://house/log/evidence/" + path))
                #expect(answer.status == 404, "\(path)")
            }
        }
    }

    @Test func `a full disk is no fault of the caller's or the program's, and can be tried again`() async throws {
        try await withServiceHouse { house in
            func route(_ path: String, _ error: BlobError) -> Route {
                Route(
                    .get, path, operation: "get" + path.dropFirst(), summary: "Keeps something.", access: .public,
                    replies: [.json(200, "Kept.", .any)]
                ) { _ in throw error }
            }
            try house.mount([
                Mount(
                    "stores",
                    routes: [
                        route("/full", .full(operation: "write", path: "/secret/blobs")),
                        route("/broken", .system(operation: "write", path: "/secret/blobs", reason: "I/O error")),
                    ])
            ])
            let full = try await house.transport.send(ClientRequest(url: "http://house/full"))
            #expect(full.status == 503 && full.headers["Retry-After"] == "60")
            let body = String(decoding: try await full.body.collect(upTo: 4_096), as: UTF8.self)
            #expect(body.contains("/problems/unavailable") && !body.contains("secret"), "\(body)")
            #expect(try await house.transport.send(ClientRequest(url: "http://house/broken")).status == 500)
        }
    }
}
