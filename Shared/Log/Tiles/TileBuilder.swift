public import Crypto

/// A full tile as it came to be.
public struct FullTile: Sendable, Equatable {
    /// Which tile.
    public let tile: Tile
    /// 8,192 bytes.
    public let hashes: [UInt8]
    /// The root over its hashes: the hash that stands for it one level up.
    public let root: Digest
}

/// Grows a tree leaf by leaf and hands out each tile when it is full.
///
/// Holds at most 255 hashes a level, so memory grows with the logarithm of the log's length; an append costs one node
/// hash on average.
public struct TileBuilder: Sendable {
    private struct Level: Sendable {
        var hashes: [UInt8] = []
        var range = CompactRange()
    }

    private var levels: [Level] = [Level()]
    /// How many leaves so far.
    public private(set) var size: UInt64 = 0
    /// Tiles that became full since they were last taken.
    private var completed: [FullTile] = []

    /// Over no leaves.
    public init() {}

    /// Goes on from a tree of `size` leaves whose partial tiles are read from a source.
    public init(size: UInt64, source: some TileSource) async throws {
        self.size = size
        levels = []
        var level = 0
        repeat {
            var state = Level()
            let count = Tile.count(level: level, size: size)
            let open = count & UInt64(Tile.fullWidth - 1)
            if open > 0 {
                let tile = Tile(level: level, index: count >> UInt64(Tile.height), width: Int(open))
                let bytes = try await source.hashes(of: tile)
                guard bytes.count == tile.width * Tile.hashBytes else {
                    throw TileError(tile: tile, reason: "has \(bytes.count) bytes where \(tile.width * Tile.hashBytes) belong")
                }
                for place in 0..<tile.width {
                    guard let digest = Digest(bytes[place * Tile.hashBytes..<(place + 1) * Tile.hashBytes]) else {
                        throw TileError(tile: tile, reason: "has no hash \(place)")
                    }
                    state.range.append(digest)
                }
                state.hashes = bytes
            }
            levels.append(state)
            level += 1
        } while Tile.count(level: level, size: size) > 0
    }

    /// Adds a leaf hash.
    public mutating func append(_ leaf: Digest) {
        size += 1
        add(leaf, level: 0)
    }

    private mutating func add(_ hash: Digest, level: Int) {
        if level == levels.count { levels.append(Level()) }
        if levels[level].hashes.isEmpty { levels[level].hashes.reserveCapacity(Tile.fullWidth * Tile.hashBytes) }
        hash.append(to: &levels[level].hashes)
        levels[level].range.append(hash)
        guard levels[level].range.size == UInt64(Tile.fullWidth) else { return }
        let index = (size >> UInt64((level + 1) * Tile.height)) - 1
        let root = levels[level].range.root
        completed.append(FullTile(tile: Tile(level: level, index: index), hashes: levels[level].hashes, root: root))
        levels[level] = Level()
        add(root, level: level + 1)
    }

    /// The tiles that became full since the last call.
    public mutating func takeCompleted() -> [FullTile] {
        defer { completed = [] }
        return completed
    }

    /// The tiles at the right edge that are not full yet, one a level at most.
    public var partialTiles: [(tile: Tile, hashes: [UInt8])] {
        levels.enumerated().compactMap { level, state in
            let width = state.hashes.count / Tile.hashBytes
            guard width > 0 else { return nil }
            let index = Tile.count(level: level, size: size) >> UInt64(Tile.height)
            return (Tile(level: level, index: index, width: width), state.hashes)
        }
    }

    /// The root of the tree so far. Costs at most eight node hashes a level.
    public var root: Digest {
        var hash: Digest?
        for level in levels {
            for peak in level.range.peaks.reversed() { hash = hash.map { Merkle.node(peak, $0) } ?? peak }
        }
        return hash ?? Merkle.emptyRoot
    }
}
