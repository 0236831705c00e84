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

    /// The files that a manifest names.
    static func entries(_ manifest: [UInt8]) throws -> [(path: String, digest: Digest)] {
        try JSON.parse(manifest).object().array("files", count: 1...64).map { entry in
            let entry = try entry.object()
            let path = try entry.string("path", bytes: 1...200)
            guard !path.contains("/"), path != "..", path != "." else { throw try entry.field("path").error("must be a plain name") }
            guard let digest = Digest(prefixed: try entry.string("sha256")) else { throw try entry.field("sha256").error("is no digest") }
            return (path, digest)
        }
    }
}
