internal import Crypto
internal import Threads

/// What is kept when a log contradicts itself: two checkpoints, signed by its key, that can't both be true.
struct MirrorEvidence {
    let folder: BundleFolder

    /// Writes `evidence/<size>-<first digits of the root>/`: `ours`, `theirs` and `reason`. The same contradiction is kept once.
    /// - Returns: where.
    func keep(ours: String?, theirs: SignedCheckpoint, reason: String) async throws -> String {
        try await OSThread.run(name: "evidence") { [folder] in
            let place = "\(folder.path)/evidence/\(theirs.checkpoint.size)-\(theirs.checkpoint.root.hex.prefix(12))"
            if let ours { try Files.replace(place + "/ours", with: Array(ours.utf8), syncingFolder: true) }
            try Files.replace(place + "/theirs", with: Array(theirs.note.encoded.utf8), syncingFolder: true)
            try Files.replace(place + "/reason", with: Array((reason + "\n").utf8), syncingFolder: true)
            return place
        }
    }
}
