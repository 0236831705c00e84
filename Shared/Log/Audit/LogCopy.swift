internal import Crypto
internal import Threads

/// Brings a folder's copy of a log up to a signed checkpoint. Verifies all that it stores, event by event and tile by tile,
/// and that the new tree continues the one in the folder. Does not show the checkpoint: that is its caller's to do.
struct LogCopy {
    let source: any LogSource
    let folder: BundleFolder
    let rule: EntryRule
    let threads: Int

    /// Copies what lies between two trees.
    /// - Throws: ``AuditFault`` for what is wrong with the log or with the folder's own part of it.
    func copy(from old: Checkpoint?, to target: Checkpoint, progress: (@Sendable (LogProgress) -> Void)? = nil) async throws {
        let builder = try await resume(old)
        if let old { try await prove(old, target) }
        var sequence = LogSequence(source: source, target: target, builder: builder)
        var meter = LogPipeline.Meter(total: target.size, done: old?.size ?? 0)
        let check = LeafCheck(rule: rule)
        let pipeline = LogPipeline(source: source, size: target.size, from: old?.size ?? 0, threads: threads)
        var full: [FullTile] = []
        if target.size > builder.size {
            try await pipeline.run(
                { [folder] leaf in
                    let outcome = check.check(leaf)
                    if outcome.fault == nil, let entries = leaf.entries { try folder.store(entries: entries, of: leaf.tile) }
                    return outcome
                },
                take: { outcome in
                    let before = sequence.size
                    full += try await sequence.take(outcome)
                    meter.add(events: Int(sequence.size - before), bytes: outcome.bytes)
                },
                eachBatch: {
                    try await store(full.map { ($0.tile, $0.hashes) })
                    full = []
                    progress?(meter.progress)
                })
        }
        try await store(try await sequence.finish().map { ($0.tile, $0.hashes) })
    }

    /// The tree in the folder, which must be the one that its checkpoint speaks of.
    private func resume(_ old: Checkpoint?) async throws -> TileBuilder {
        guard let old, old.size > 0 else { return TileBuilder() }
        do {
            let builder = try await TileBuilder(size: old.size, source: folder.source)
            guard builder.root == old.root else { throw damaged("its tiles lead to another root than its checkpoint has") }
            return builder
        } catch let error as LogSourceError {
            throw damaged("\(error)")
        } catch let error as TileError {
            throw damaged("\(error)")
        }
    }

    private func damaged(_ reason: String) -> LogSourceError {
        .malformed(path: folder.path, reason: "the copy in this folder is damaged (\(reason)); audit it, or make it anew in another folder")
    }

    /// A log that does not continue the one in the folder is a fork, whatever it holds.
    private func prove(_ old: Checkpoint, _ target: Checkpoint) async throws {
        do {
            guard old.size <= target.size else {
                throw AuditFault(
                    .shrunk, position: target.size, below: old.size,
                    "the log ends at \(target.size), but this folder holds a checkpoint of it with \(old.size) events")
            }
            var tree = TileTree(source: PatchedTiles(base: source), size: target.size)
            try await tree.consistencyProof(from: old.size).verify(oldRoot: old.root, newRoot: target.root)
        } catch let error as ProofError {
            throw AuditFault(
                .history, position: 0, below: max(old.size, 1),
                "the log no longer continues the \(old.size) events in this folder: \(error)")
        } catch let error as LogSourceError where error.isMissing {
            throw AuditFault(.missing, position: nil, "no proof that the log continues this folder's \(old.size) events: \(error)")
        }
    }

    private func store(_ tiles: [(tile: Tile, hashes: [UInt8])]) async throws {
        guard !tiles.isEmpty else { return }
        try await OSThread.run(name: "log-store") { [folder] in
            for (tile, hashes) in tiles { try folder.store(hashes: hashes, of: tile) }
        }
    }
}
