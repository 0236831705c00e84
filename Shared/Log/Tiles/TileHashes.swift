public import Crypto

/// Gives the bytes of tiles: a database, a folder, a server.
public protocol TileSource: Sendable {
    /// The hashes of a tile, `width`·32 bytes.
    func hashes(of tile: Tile) async throws -> [UInt8]
}

/// A source whose bytes are not what its tree's size says.
public struct TileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The tile.
    public let tile: Tile
    /// What is wrong with it.
    public let reason: String

    /// Names a tile and its fault.
    public init(tile: Tile, reason: String) {
        self.tile = tile
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String { "\(tile.path): \(reason)" }
}

/// Makes proofs for a tree of one size out of tiles. Reads each tile once; a proof touches about two tiles a level.
public struct TileTree<Source: TileSource>: Sendable {
    private let source: Source
    /// How many leaves the tree has.
    public let size: UInt64
    private var tiles: [Tile: [UInt8]] = [:]

    /// Over the first `size` leaves of what the source holds.
    public init(source: Source, size: UInt64) {
        self.source = source
        self.size = size
    }

    /// The proof that leaf `index` is in the tree.
    public mutating func inclusionProof(of index: UInt64) async throws -> InclusionProof {
        guard index < size else { throw ProofError.outOfRange("position \(index) is not below the size \(size)") }
        return InclusionProof(index: index, size: size, hashes: try await hashes(for: ProofPlan.inclusion(index: index, size: size)))
    }

    /// The proof that the tree continues the one of `oldSize`.
    public mutating func consistencyProof(from oldSize: UInt64) async throws -> ConsistencyProof {
        guard oldSize <= size else { throw ProofError.outOfRange("size \(oldSize) is above the log's size \(size)") }
        let plan = ProofPlan.consistency(oldSize: oldSize, newSize: size)
        return ConsistencyProof(oldSize: oldSize, newSize: size, hashes: try await hashes(for: plan))
    }

    /// The root of the tree.
    public mutating func root() async throws -> Digest {
        try await fold(Subtree.covering(0, size)) ?? Merkle.emptyRoot
    }

    /// The right edge, to go on appending from.
    public mutating func compactRange() async throws -> CompactRange {
        var peaks: [Digest] = []
        for part in Subtree.covering(0, size) { peaks.append(try await hash(of: part)) }
        return CompactRange(size: size, peaks: peaks) ?? CompactRange()
    }

    private mutating func hashes(for plan: [[Subtree]]) async throws -> [Digest] {
        var hashes: [Digest] = []
        for parts in plan {
            if let hash = try await fold(parts) { hashes.append(hash) }
        }
        return hashes
    }

    private mutating func fold(_ parts: [Subtree]) async throws -> Digest? {
        var hash: Digest?
        for part in parts.reversed() {
            let left = try await self.hash(of: part)
            hash = hash.map { Merkle.node(left, $0) } ?? left
        }
        return hash
    }

    /// A subtree of height 8·L + k is the fold of 2^k hashes of one tile of level L.
    private mutating func hash(of subtree: Subtree) async throws -> Digest {
        let level = subtree.level / Tile.height
        let spread = subtree.level % Tile.height
        let first = subtree.index << UInt64(spread)
        guard let tile = Tile.at(level: level, index: first >> UInt64(Tile.height), size: size) else {
            throw ProofError.outOfRange("subtree \(subtree.index) of height \(subtree.level) is not in a tree of \(size)")
        }
        let bytes = try await load(tile)
        let start = Int(first & UInt64(Tile.fullWidth - 1))
        var row: [Digest] = []
        for place in start..<start + 1 << spread {
            guard let digest = Digest(bytes[place * Tile.hashBytes..<(place + 1) * Tile.hashBytes]) else {
                throw TileError(tile: tile, reason: "has no hash \(place)")
            }
            row.append(digest)
        }
        while row.count > 1 { row = stride(from: 0, to: row.count, by: 2).map { Merkle.node(row[$0], row[$0 + 1]) } }
        return row[0]
    }

    private mutating func load(_ tile: Tile) async throws -> [UInt8] {
        if let bytes = tiles[tile] { return bytes }
        let bytes = try await source.hashes(of: tile)
        guard bytes.count == tile.width * Tile.hashBytes else {
            throw TileError(tile: tile, reason: "has \(bytes.count) bytes where \(tile.width * Tile.hashBytes) belong")
        }
        tiles[tile] = bytes
        return bytes
    }
}
