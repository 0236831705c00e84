internal import Crypto
internal import JSON

/// Several files as one thing with one name: canonical JSON `{"files":[{"bytes","path","sha256"}]}`, files in the order of their paths,
/// and the SHA-256 of that.
struct Artefact: Sendable {
    let files: [(path: String, digest: Digest, bytes: [UInt8])]
    let manifest: [UInt8]
    let digest: Digest

    init(files: [(String, [UInt8])]) throws {
        self.files = files.sorted { $0.0 < $1.0 }.map { ($0.0, SHA256.hash($0.1), $0.1) }
        manifest = try JSON.canonical([
            "files": .array(
                self.files.map { ["bytes": .int(Int64($0.bytes.count)), "path": .string($0.path), "sha256": .string($0.digest.prefixed)] })
        ])
        digest = SHA256.hash(manifest)
    }
}
