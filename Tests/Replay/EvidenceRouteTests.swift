import Blobs
import Crypto
import EventLog
import Events
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import Testing

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
}
