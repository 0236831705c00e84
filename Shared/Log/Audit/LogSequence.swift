internal import Crypto

/// Puts checked tiles together, in order: grows the tree, checks that appends go on across tiles, compares every tile of
/// every level, and compares kept roots on the way. Memory grows with the logarithm of the log's length.
struct LogSequence {
    /// What is known of a signed tree on the way.
    struct Milestone {
        let size: UInt64
        let root: Digest
    }

    private let source: any LogSource
    private let target: Checkpoint
    private var builder: TileBuilder
    private var last: AppendPlace?
    /// The tile of each level from 1 on whose hashes are being compared.
    private var parents: [Int: (tile: Tile, hashes: [UInt8])] = [:]
    private var absent: [Int: Tile] = [:]
    /// The first of them that is not there.
    private var missing: AuditFault?
    /// Milestones to come, the nearest last.
    private var milestones: [Milestone] = []
    /// The last milestone that held.
    private(set) var proven: UInt64 = 0
    private(set) var milestonesMet: [UInt64] = []
    private(set) var tiles: UInt64 = 0

    /// - Parameter builder: the tree so far, over nothing or over what a bundle holds already.
    init(source: any LogSource, target: Checkpoint, builder: TileBuilder = TileBuilder()) {
        self.source = source
        self.target = target
        self.builder = builder
        proven = builder.size
    }

    /// Names signed trees that this one must continue.
    mutating func expect(_ milestones: [Milestone]) {
        self.milestones = milestones.filter { $0.size > builder.size }.sorted { $0.size > $1.size }
    }

    /// How many leaves are in the tree so far.
    var size: UInt64 { builder.size }

    /// Their root.
    var root: Digest { builder.root }

    /// Takes the next tile.
    /// - Returns: the tiles that became full, of all levels.
    mutating func take(_ outcome: LeafOutcome) async throws -> [FullTile] {
        let start = outcome.tile.index << UInt64(Tile.height)
        // The rest of an append that the tile before began.
        if let last, let first = outcome.first, !last.isFollowed(by: first) {
            throw AuditFault(.event, position: start, AppendOrder.wrongID)
        }
        last = outcome.last ?? last
        let fault = outcome.fault
        let sound = fault.map { min($0.index, outcome.leaves.count) } ?? outcome.leaves.count
        let known = Int(builder.size - start)
        if known > 0 { try compare(outcome.leaves.prefix(min(known, sound)), from: start) }
        for index in min(known, sound)..<sound {
            builder.append(outcome.leaves[index])
            while let next = milestones.last, next.size == builder.size { try pass(next) }
        }
        if let fault { try await fail(fault, start: start) }
        tiles += 1
        let full = builder.takeCompleted()
        for tile in full { try await compare(tile) }
        return full
    }

    /// Compares the root.
    /// - Returns: the tiles that are not full.
    mutating func finish() async throws -> [(tile: Tile, hashes: [UInt8])] {
        if let missing { throw missing }
        guard builder.root == target.root else {
            throw AuditFault(
                .root, position: proven, below: max(target.size, proven + 1),
                "events and tiles agree with each other, but their root is \(builder.root.hex), and \(target.root.hex) was signed for")
        }
        return builder.partialTiles
    }

    private mutating func pass(_ milestone: Milestone) throws(AuditFault) {
        milestones.removeLast()
        guard builder.root == milestone.root else {
            throw AuditFault(
                .history, position: proven, below: milestone.size,
                "the first \(milestone.size) events are not those of the checkpoint kept at that size: its root is \(milestone.root.hex), theirs \(builder.root.hex)"
            )
        }
        proven = milestone.size
        milestonesMet.append(milestone.size)
    }

    /// Events that the tree had before must still be the same.
    private func compare(_ leaves: ArraySlice<Digest>, from start: UInt64) throws(AuditFault) {
        let held = builder.partialTiles.first { $0.tile.level == 0 }?.hashes ?? []
        for (index, leaf) in leaves.enumerated() where Digest(held[index * Tile.hashBytes..<(index + 1) * Tile.hashBytes]) != leaf {
            throw AuditFault(.history, position: start + UInt64(index), "is no longer the event that was copied from here before")
        }
    }

    /// Compares a full tile's root with the hash that stands for it one level up.
    private mutating func compare(_ full: FullTile) async throws {
        let level = full.tile.level + 1
        let index = full.tile.index >> UInt64(Tile.height)
        guard let parent = Tile.at(level: level, index: index, size: target.size), parent != absent[level] else { return }
        let hashes: [UInt8]
        if let known = parents[level], known.tile == parent {
            hashes = known.hashes
        } else {
            do { hashes = try await source.hashes(of: parent) } catch let error as LogSourceError where error.isMissing {
                // Events may be missing too, or bad, which says more; go on for as long as they go.
                absent[level] = parent
                missing = missing ?? AuditFault(.missing, position: first(of: parent), "\(parent.path) is not there")
                return
            }
            parents[level] = (parent, hashes)
            tiles += 1
        }
        let slot = Int(full.tile.index & UInt64(Tile.fullWidth - 1))
        guard Digest(hashes[slot * Tile.hashBytes..<(slot + 1) * Tile.hashBytes]) != full.root else { return }
        let start = first(of: full.tile)
        let end = first(of: full.tile, Tile.fullWidth)
        // An altered hash is no part of the proof for the leaves below it; altered leaves are.
        let bytes = full.hashes
        if full.tile.level == 0, let leaf = Digest(bytes[..<Tile.hashBytes]), await !leads(leaf, start, over: [full.tile: bytes]) {
            throw AuditFault(
                .both, position: start, below: end, "an event was altered and \(full.tile.path) with it: \(parent.path) says so")
        }
        throw AuditFault(
            .tile, position: start, below: end, "\(parent.path) was altered: its hash \(slot) is not that of the events below it")
    }

    /// The first leaf below a tile's hash.
    private func first(of tile: Tile, _ index: Int = 0) -> UInt64 {
        (tile.index << UInt64(Tile.height) + UInt64(index)) << UInt64(tile.level * Tile.height)
    }

    private func fail(_ fault: LeafOutcome.Fault, start: UInt64) async throws {
        let position = start + UInt64(fault.index)
        switch fault.kind {
        case .cut(let reason): throw AuditFault(.missing, position: position, reason)
        case .noTile:
            throw AuditFault(.missing, position: position, "\(Tile(level: 0, index: start >> UInt64(Tile.height)).path) is not there")
        case .notEvent(let reason): throw AuditFault(.event, position: position, "the log holds what is no event: \(reason)")
        case .differs(let leaf): throw await differing(leaf, fault.index, position)
        }
    }

    /// Which of event and tile is the altered one: the one from which the other tiles do not lead to the signed root.
    private func differing(_ leaf: LeafTile, _ index: Int, _ position: UInt64) async -> AuditFault {
        let stored = leaf.hashes ?? []
        guard let entries = leaf.entries, stored.count == leaf.tile.width * Tile.hashBytes,
            let hash = Digest(stored[index * Tile.hashBytes..<(index + 1) * Tile.hashBytes])
        else { return AuditFault(.tile, position: position, "\(leaf.tile.path) has the wrong length") }
        if await leads(hash, position, over: [:]) {
            let own = EntryBundle.ranges(of: entries, count: leaf.tile.width)
            let place = own.map { Merkle.leaf(Array(entries[$0[index]])) }.flatMap { Self.place(of: $0, in: stored) }
            let hint = place.map { ": it is the event of position \(position - UInt64(index) + UInt64($0))" } ?? ""
            return AuditFault(.entry, position: position, "the event was altered\(hint)")
        }
        if let ranges = EntryBundle.ranges(of: entries, count: leaf.tile.width) {
            var recomputed: [UInt8] = []
            for range in ranges { Merkle.leaf(Array(entries[range])).append(to: &recomputed) }
            if let own = Digest(recomputed[index * Tile.hashBytes..<(index + 1) * Tile.hashBytes]),
                await leads(own, position, over: [leaf.tile: recomputed])
            {
                return AuditFault(.tile, position: position, "\(leaf.tile.path) was altered: its hash \(index) is not that of the event")
            }
        }
        return AuditFault(.both, position: position, "event and tile contradict each other, and neither leads to the signed root")
    }

    private func leads(_ leaf: Digest, _ position: UInt64, over tiles: [Tile: [UInt8]]) async -> Bool {
        var tree = TileTree(source: PatchedTiles(base: source, patches: tiles), size: target.size)
        guard let proof = try? await tree.inclusionProof(of: position) else { return false }
        return (try? proof.verify(leaf: leaf, root: target.root)) != nil
    }

    private static func place(of leaf: Digest, in hashes: [UInt8]) -> Int? {
        (0..<hashes.count / Tile.hashBytes).first { Digest(hashes[$0 * Tile.hashBytes..<($0 + 1) * Tile.hashBytes]) == leaf }
    }
}

/// A source some of whose tiles may be others than it says.
struct PatchedTiles: TileSource {
    let base: any LogSource
    var patches: [Tile: [UInt8]] = [:]

    func hashes(of tile: Tile) async throws -> [UInt8] {
        if let patch = patches[tile] { return patch }
        return try await base.hashes(of: tile)
    }
}
