import Blobs
import Crypto
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct EvidenceStoreTests {
    @Test func evidenceIsNamedByTheHashOfItsCanonicalBytes() async throws {
        let folder = try TemporaryFolder("evidence")
        let evidence = EvidenceStore(blobs: try FolderBlobStore(root: folder.path))
        let reference = try await evidence.put(["b": 2, "a": [1, "x"]])
        let canonical = Array(#"{"a":[1,"x"],"b":2}"#.utf8)
        #expect(reference == EvidenceReference(hash: SHA256.hash(canonical), count: canonical.count))
        #expect(try await evidence.bytes(reference.hash) == canonical)
        #expect(try await evidence.value(reference.hash)["b"] == 2)
        #expect(try await evidence.put(canonical: canonical) == reference)
    }

    @Test func whatIsNotCanonicalOrNotAnIntegerIsRefused() async throws {
        let folder = try TemporaryFolder("evidence")
        let evidence = EvidenceStore(blobs: try FolderBlobStore(root: folder.path))
        await #expect(throws: JSONError.self) { try await evidence.put(canonical: Array(#"{"b":1,"a":2}"#.utf8)) }
        await #expect(throws: JSONError.self) { try await evidence.put(["score": 0.5]) }
    }

    @Test func changedEvidenceIsNoticed() async throws {
        let folder = try TemporaryFolder("evidence")
        let blobs = try FolderBlobStore(root: folder.path)
        let evidence = EvidenceStore(blobs: blobs)
        let reference = try await evidence.put(["a": 1])
        let name = try BlobName(space: "evidence", digest: reference.hash)
        try await blobs.remove(name)
        try await blobs.put(name, Array(#"{"a":2}"#.utf8))
        await #expect(throws: BlobError.damaged(name, reason: "its hash is another one")) { try await evidence.bytes(reference.hash) }
        await #expect(throws: BlobError.self) { try await evidence.bytes(SHA256.hash([])) }
    }
}
