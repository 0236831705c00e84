internal import Crypto
internal import Events
internal import Foundation
internal import ServiceShell
internal import Threads

/// Brings an artefact's files here from training, each checked against its hash. They stay, under the artefact's name.
struct ArtefactFetch: Sendable {
    let peers: Peers
    let folder: String

    func folder(of name: String) async throws -> String {
        guard let digest = Digest(prefixed: name) else { throw RunnerError.badArtefact("\(name) is no digest") }
        let place = folder + "/" + digest.hex
        if FileManager.default.fileExists(atPath: place) { return place }
        let manifest = try await get(digest, limit: 1 << 20)
        var files: [(String, [UInt8])] = []
        for (path, digest) in try Artefact.entries(manifest) { files.append((path, try await get(digest, limit: 512 << 20))) }
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

    private func get(_ digest: Digest, limit: Int) async throws -> [UInt8] {
        let bytes = try await peers.bytes(
            "GET", .training, "/v1/adapters/artefacts/\(digest.prefixed)", timeout: .seconds(120), limit: limit)
        guard SHA256.hash(bytes) == digest else { throw RunnerError.badArtefact("\(digest) came with other bytes") }
        return bytes
    }
}

/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case badArtefact(String)
    case unknownBase(String)
    case otherBase(String, here: Digest, wanted: Digest)
    case noRows
    case lost
    case halted

    var description: String {
        switch self {
        case .badArtefact(let why): why
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .otherBase(let name, let here, let wanted): "the base model \(name) is \(here) here, the job is on \(wanted)"
        case .noRows: "the snapshots have no row to learn from"
        case .lost: "the job was cancelled, or given to another runner"
        case .halted: "the job was halted"
        }
    }
}
