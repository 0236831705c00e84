import Crypto
import EventLog
import TestSupport
import Testing

/// The definition of RFC 6962 §2.1, word by word: what everything faster must agree with.
enum Definition {
    static func root(_ leaves: ArraySlice<Digest>) -> Digest {
        guard let first = leaves.first else { return SHA256.hash([]) }
        if leaves.count == 1 { return first }
        let split = leaves.startIndex + largestPowerOfTwo(below: leaves.count)
        return SHA256.hash(prefix: 1, root(leaves[..<split]), root(leaves[split...]))
    }

    static func path(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
        if leaves.count == 1 { return [] }
        let half = largestPowerOfTwo(below: leaves.count)
        let split = leaves.startIndex + half
        if index < half { return path(index, leaves[..<split]) + [root(leaves[split...])] }
        return path(index - half, leaves[split...]) + [root(leaves[..<split])]
    }

    static func proof(_ old: Int, _ leaves: ArraySlice<Digest>, whole: Bool = true) -> [Digest] {
        if old == leaves.count { return whole ? [] : [root(leaves)] }
        let half = largestPowerOfTwo(below: leaves.count)
        let split = leaves.startIndex + half
        if old <= half { return proof(old, leaves[..<split], whole: whole) + [root(leaves[split...])] }
        return proof(old - half, leaves[split...], whole: false) + [root(leaves[..<split])]
    }

    private static func largestPowerOfTwo(below count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }
}

/// Tiles of a tree that lies in memory.
struct MemoryTiles: TileSource {
    let tiles: [Tile: [UInt8]]

    init(_ leaves: [Digest]) {
        var builder = TileBuilder()
        var tiles: [Tile: [UInt8]] = [:]
        var hashes: [Int: [UInt8]] = [:]
        for leaf in leaves {
            builder.append(leaf)
            for full in builder.takeCompleted() {
                tiles[full.tile] = full.hashes
                hashes[full.tile.level, default: []] += full.hashes
            }
        }
        for (tile, bytes) in builder.partialTiles { tiles[tile] = bytes }
        self.tiles = tiles
    }

    func hashes(of tile: Tile) async throws -> [UInt8] {
        if let bytes = tiles[tile] { return bytes }
        // A smaller tree's partial tile is the beginning of a larger tree's tile.
        for (other, bytes) in tiles where other.level == tile.level && other.index == tile.index && other.width > tile.width {
            return Array(bytes.prefix(tile.width * Tile.hashBytes))
        }
        throw TileError(tile: tile, reason: "is not here")
    }
}

@Suite struct MerkleTests {
    /// The eight leaves that RFC 6962's test data and Certificate Transparency's implementations share.
    static let published = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map { Merkle.leaf(Hex.decode($0) ?? []) }

    static func leaves(_ count: Int, seed: UInt64 = 1) -> [Digest] {
        (0..<count).map { Merkle.leaf(Array("\(seed)/\($0)".utf8)) }
    }

    @Test func `the published tree has the published root`() {
        #expect(Merkle.root(of: Self.published).hex == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
        #expect(Merkle.emptyRoot.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Merkle.leaf([]).hex == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    }

    @Test(arguments: Array(0...70) + [255, 256, 257, 511, 512, 513, 1000])
    func `a compact range and a tile builder have the root of the definition`(count: Int) {
        let leaves = Self.leaves(count)
        var range = CompactRange()
        var builder = TileBuilder()
        for leaf in leaves {
            range.append(leaf)
            builder.append(leaf)
        }
        let root = Definition.root(leaves[...])
        #expect(range.root == root)
        #expect(builder.root == root)
        #expect(range.size == UInt64(count))
    }

    @Test(arguments: [1, 2, 3, 7, 8, 31, 64, 65, 100, 257, 300])
    func `inclusion proofs are those of the definition and verify`(size: Int) async throws {
        let leaves = Self.leaves(size)
        let root = Definition.root(leaves[...])
        var tree = TileTree(source: MemoryTiles(leaves), size: UInt64(size))
        #expect(try await tree.root() == root)
        for index in stride(from: 0, to: size, by: size > 64 ? 7 : 1) {
            let proof = try await tree.inclusionProof(of: UInt64(index))
            #expect(proof.hashes == Definition.path(index, leaves[...]))
            #expect(proof.hashes.count == InclusionProof.length(index: UInt64(index), size: UInt64(size)))
            try proof.verify(leaf: leaves[index], root: root)
        }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 8, 33, 64, 100, 256, 300])
    func `consistency proofs are those of the definition and verify`(size: Int) async throws {
        let leaves = Self.leaves(size)
        let root = Definition.root(leaves[...])
        var tree = TileTree(source: MemoryTiles(leaves), size: UInt64(size))
        for old in stride(from: 0, through: size, by: size > 64 ? 9 : 1) {
            let proof = try await tree.consistencyProof(from: UInt64(old))
            if old > 0 { #expect(proof.hashes == Definition.proof(old, leaves[...])) }
            try proof.verify(oldRoot: Definition.root(leaves[..<old]), newRoot: root)
        }
    }

    @Test func `no altered proof verifies`() async throws {
        var generator = Seed.generator()
        for _ in 0..<300 {
            let size = Int.random(in: 2...600, using: &generator)
            let index = Int.random(in: 0..<size, using: &generator)
            let old = Int.random(in: 1..<size, using: &generator)
            let leaves = Self.leaves(size)
            let root = Definition.root(leaves[...])
            var tree = TileTree(source: MemoryTiles(leaves), size: UInt64(size))
            let inclusion = try await tree.inclusionProof(of: UInt64(index))
            let consistency = try await tree.consistencyProof(from: UInt64(old))
            let hostile = Merkle.leaf([0xFF])

            var hashes = inclusion.hashes
            hashes[Int.random(in: 0..<hashes.count, using: &generator)] = hostile
            #expect(throws: ProofError.self, "size \(size) index \(index)") {
                try InclusionProof(index: UInt64(index), size: UInt64(size), hashes: hashes).verify(leaf: leaves[index], root: root)
            }
            #expect(throws: ProofError.self) { try inclusion.verify(leaf: hostile, root: root) }
            #expect(throws: ProofError.self) {
                try InclusionProof(index: UInt64(index), size: UInt64(size), hashes: inclusion.hashes + [hostile])
                    .verify(leaf: leaves[index], root: root)
            }
            #expect(throws: ProofError.self) {
                try InclusionProof(index: UInt64(index), size: UInt64(size), hashes: inclusion.hashes.dropLast())
                    .verify(leaf: leaves[index], root: root)
            }
            let oldRoot = Definition.root(leaves[..<old])
            try consistency.verify(oldRoot: oldRoot, newRoot: root)
            #expect(throws: ProofError.self) { try consistency.verify(oldRoot: hostile, newRoot: root) }
            #expect(throws: ProofError.self) { try consistency.verify(oldRoot: oldRoot, newRoot: hostile) }
            if !consistency.hashes.isEmpty {
                #expect(throws: ProofError.self) {
                    try ConsistencyProof(oldSize: UInt64(old), newSize: UInt64(size), hashes: consistency.hashes.dropLast())
                        .verify(oldRoot: oldRoot, newRoot: root)
                }
                #expect(throws: ProofError.self) {
                    try ConsistencyProof(oldSize: UInt64(old), newSize: UInt64(size), hashes: consistency.hashes + [hostile])
                        .verify(oldRoot: oldRoot, newRoot: root)
                }
            }
        }
    }

    @Test(arguments: [0, 1, 255, 256, 257, 65_536, 70_000])
    func `a tile builder goes on from stored tiles as if it had never stopped`(size: Int) async throws {
        let leaves = Self.leaves(size)
        let tiles = MemoryTiles(leaves)
        var resumed = try await TileBuilder(size: UInt64(size), source: tiles)
        var whole = TileBuilder()
        for leaf in leaves { whole.append(leaf) }
        _ = whole.takeCompleted()
        #expect(resumed.root == whole.root)
        for leaf in Self.leaves(600, seed: 2) {
            resumed.append(leaf)
            whole.append(leaf)
        }
        #expect(resumed.root == whole.root)
        #expect(resumed.takeCompleted() == whole.takeCompleted())
    }

    @Test func `a size has the tiles that the layout's own example gives it`() {
        #expect(Tile.at(level: 0, index: 273, size: 70_000) == Tile(level: 0, index: 273, width: 112))
        #expect(Tile.at(level: 0, index: 272, size: 70_000)?.isFull == true)
        #expect(Tile.at(level: 0, index: 274, size: 70_000) == nil)
        #expect(Tile.at(level: 1, index: 0, size: 70_000)?.isFull == true)
        #expect(Tile.at(level: 1, index: 1, size: 70_000) == Tile(level: 1, index: 1, width: 17))
        #expect(Tile.at(level: 2, index: 0, size: 70_000) == Tile(level: 2, index: 0, width: 1))
        #expect(Tile.at(level: 3, index: 0, size: 70_000) == nil)
    }

    @Test func `tile paths are written and read one way only`() {
        #expect(Tile(level: 0, index: 1_234_067).path == "tile/0/x001/x234/067")
        #expect(Tile(level: 1, index: 5, width: 17).path == "tile/1/005.p/17")
        #expect(Tile(level: 0, index: 273, width: 112).bundlePath == "tile/entries/273.p/112")
        func parse(_ text: String) -> (UInt64, Int)? { Tile.parse(indexPath: text.split(separator: "/", omittingEmptySubsequences: false)) }
        for (index, width) in [(UInt64(0), 256), (999, 1), (1000, 255), (1_234_067, 256), (123_456_789_012, 3)] {
            let path = Tile(level: 0, index: index, width: width).path.dropFirst("tile/0/".count)
            let parsed = parse(String(path))
            #expect(parsed?.0 == index && parsed?.1 == width)
        }
        for bad in [
            "", "1", "0001", "x000/001", "001/002", "x001", "001.p/0", "001.p/256", "001.p/01", "001.p", "-01", "x001/2", "001.p/5/1",
        ] {
            #expect(parse(bad) == nil, "\(bad)")
        }
    }

    @Test func `an entry bundle is read back, and a cut one is refused`() {
        let entries: [[UInt8]] = [[], [1], Array(repeating: 7, count: 65_535), [2, 3]]
        let bundle = EntryBundle.encode(entries)
        #expect(EntryBundle.ranges(of: bundle, count: 4)?.map { Array(bundle[$0]) } == entries)
        #expect(EntryBundle.ranges(of: bundle, count: 3) == nil)
        #expect(EntryBundle.ranges(of: bundle, count: 5) == nil)
        #expect(EntryBundle.ranges(of: Array(bundle.dropLast()), count: 4) == nil)
    }
}
