internal import Crypto
internal import Threads

/// What is kept when a log contradicts itself: two checkpoints, signed by its key, that can't both be true.
struct MirrorEvidence {
    let folder: BundleFolder

    /// Writes `evidence/<size>-<first digits of the root>/`: `ours`, `theirs` and `reason`. The same contradiction is kept once.
    /// - Returns: where.
    func keep(ours: String?, theirs: SignedCheckpoint, reason: String) async throws -> String {
        try await OSThread.run(name: "evidence") { [self] in try write(ours, theirs, reason) }
    }

    /// The same for what strangers submit: of that only so many are kept.
    /// - Returns: where; nil when there are enough already.
    func keepSubmitted(ours: String?, theirs: SignedCheckpoint, reason: String) async throws -> String? {
        try await OSThread.run(name: "evidence") { [self] in
            // Documents of evidence lie beside it, under two hexadecimal digits.
            let kept = try Files.names(in: folder.path + "/evidence", limit: 4_096).filter { $0.contains("-") }
            let isNew = !kept.contains(Self.name(theirs))
            return try isNew && kept.count >= Self.mostSubmitted ? nil : write(ours, theirs, reason)
        }
    }

    /// More contradictions than this say nothing new of a log.
    static let mostSubmitted = 16

    private static func name(_ theirs: SignedCheckpoint) -> String { "\(theirs.checkpoint.size)-\(theirs.checkpoint.root.hex.prefix(12))" }

    private func write(_ ours: String?, _ theirs: SignedCheckpoint, _ reason: String) throws -> String {
        let place = "\(folder.path)/evidence/\(Self.name(theirs))"
        if let ours { try Files.replace(place + "/ours", with: Array(ours.utf8), syncingFolder: true) }
        try Files.replace(place + "/theirs", with: Array(theirs.note.encoded.utf8), syncingFolder: true)
        try Files.replace(place + "/reason", with: Array((reason + "\n").utf8), syncingFolder: true)
        return place
    }
}
