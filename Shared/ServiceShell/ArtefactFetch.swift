public import Crypto
internal import Events
internal import Foundation
internal import JSON
internal import Threads

/// Brings an artefact's files here from training, each checked against its hash. They stay, under the artefact's name: SHA-256 of its
/// manifest in hexadecimal.
public struct ArtefactFetch: Sendable {
    private let peers: Peers
    private let folder: String

    /// - Parameter folder: where artefacts are kept; made when it is not there.
    public init(peers: Peers, folder: String) {
        self.peers = peers
        self.folder = folder
    }

    /// The folder of an artefact's files, fetched if need be.
    /// - Throws: ``ArtefactError``, or what the call throws.
    public func folder(of name: String) async throws -> String {
        guard let digest = Digest(prefixed: name) else { throw ArtefactError("\(name) is no digest") }
        let place = folder + "/" + digest.hex
        if FileManager.default.fileExists(atPath: place) { return place }
        let manifest = try await get(digest, limit: 1 << 20)
        var files: [(String, [UInt8])] = []
        for (path, digest) in try Self.entries(manifest) { files.append((path, try await get(digest, limit: 512 << 20))) }
        let fetched = files
        try await OSThread.run(name: "artefact files") {
            // Made beside and then moved, so that a folder of this name is always whole.
            let making = place + ".making-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(atPath: making, withIntermediateDirectories: true)
            for (path, bytes) in fetched { try Data(bytes).write(to: URL(fileURLWithPath: making + "/" + path)) }
            do { try FileManager.default.moveItem(atPath: making, toPath: place) } catch {
                try? FileManager.default.removeItem(atPath: making)
                guard FileManager.default.fileExists(atPath: place) else { throw error }
            }
        }
        return place
    }

    /// The files that a manifest names: canonical JSON `{"files":[{"bytes","path","sha256"}]}`.
    public static func entries(_ manifest: [UInt8]) throws -> [(path: String, digest: Digest)] {
        try JSON.parse(manifest).object().array("files", count: 1...64).map { entry in
            let entry = try entry.object()
            let path = try entry.string("path", bytes: 1...200)
            guard !path.contains("/"), path != "..", path != "." else { throw try entry.field("path").error("must be a plain name") }
            guard let digest = Digest(prefixed: try entry.string("sha256")) else { throw try entry.field("sha256").error("is no digest") }
            return (path, digest)
        }
    }

    private func get(_ digest: Digest, limit: Int) async throws -> [UInt8] {
        let bytes = try await peers.bytes(
            "GET", .training, "/v1/adapters/artefacts/\(digest.prefixed)", timeout: .seconds(120), limit: limit)
        guard SHA256.hash(bytes) == digest else { throw ArtefactError("\(digest) came with other bytes") }
        return bytes
    }
}

/// An artefact is not what it must be.
public struct ArtefactError: Error, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    init(_ description: String) { self.description = description }
}
