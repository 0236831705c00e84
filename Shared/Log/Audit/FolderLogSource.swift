public import Crypto
internal import Glibc
internal import Threads

/// A log in a folder: `checkpoint`, `tile/…` and `tile/entries/…` as C2SP tlog-tiles lays them out, beside them `keys` (the
/// log's verifier keys, one a line), `rotations` (each key's word for the next) and `checkpoints/<size>` (earlier checkpoints that were kept). A partial tile may be
/// taken from a fuller one.
public struct FolderLogSource: LogSource {
    /// Where it lies.
    public let path: String

    /// A folder, which is looked at only when it is read.
    public init(_ path: String) { self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path }

    /// Makes the folder where there is none. Blocks.
    public static func prepare(_ path: String) throws { try Files.makeFolder(FolderLogSource(path).path) }

    /// The path.
    public var name: String { path }

    /// Reads `checkpoint`.
    public func checkpoint() async throws -> String { try await text("checkpoint", limit: SignedNote.maximumBytes) }

    /// Reads `tile/…`.
    public func hashes(of tile: Tile) async throws -> [UInt8] {
        try await OSThread.run(name: "log-read") {
            guard let bytes = try readHashes(of: tile) else { throw LogSourceError.missing(path: tile.path, source: path) }
            return bytes
        }
    }

    /// Reads `tile/entries/…`.
    public func bundle(of tile: Tile) async throws -> [UInt8] {
        try await OSThread.run(name: "log-read") {
            guard let bytes = try readBundle(of: tile) else { throw LogSourceError.missing(path: tile.bundlePath, source: path) }
            return bytes
        }
    }

    /// Reads `keys`; none when there is no such file.
    public func pinnedKeys() async throws -> [VerifierKey] {
        do {
            return try LogBounds.keys(try await text("keys", limit: LogBounds.keys), path: path + "/keys")
        } catch let error as LogSourceError where error.isMissing {
            return []
        }
    }

    /// Reads `rotations`; none when there is no such file.
    public func rotations() async throws -> [LogRotation] {
        try await OSThread.run(name: "log-read") {
            guard let bytes = try Files.read(path + "/rotations", limit: LogBounds.rotations) else { return [] }
            return try LogBounds.rotations(bytes, path: path + "/rotations")
        }
    }

    /// Reads `keys` of a folder that may not be there yet.
    public func keysIfThere() async throws -> [VerifierKey] {
        guard try await OSThread.run(name: "log-read", { Files.isFolder(path) }) else { return [] }
        return try await pinnedKeys()
    }

    /// Lists `checkpoints`.
    public func keptSizes() async throws -> [UInt64] {
        try await OSThread.run(name: "log-read") {
            try Files.names(in: path + "/checkpoints", limit: LogBounds.kept).compactMap { name in
                UInt64(name).flatMap { String($0) == name ? $0 : nil }
            }.sorted()
        }
    }

    /// Reads `checkpoints/<size>`.
    public func keptCheckpoint(_ size: UInt64) async throws -> String {
        try await text("checkpoints/\(size)", limit: SignedNote.maximumBytes)
    }

    /// Reads `evidence/…`.
    public func evidence(_ digest: Digest) async throws -> [UInt8]? {
        try await OSThread.run(name: "log-read") {
            try Files.read("\(path)/\(EvidencePath.of(digest))", limit: EvidencePath.largest)
        }
    }

    /// Reads the tiles one after the other on one thread of their own, on which `body` runs too.
    public func map<Result: Sendable>(
        _ tiles: [Tile], _ body: @escaping @Sendable (LeafTile) throws -> Result
    ) async throws -> [Result] {
        try await OSThread.run(name: "log-read") {
            // The kernel reads the files to come while this thread works on the first ones.
            for tile in tiles { prefetch(tile.bundlePath) }
            return try tiles.map { tile in
                try body(LeafTile(tile: tile, entries: try readBundle(of: tile), hashes: try readHashes(of: tile)))
            }
        }
    }

    private func text(_ file: String, limit: Int) async throws -> String {
        try await OSThread.run(name: "log-read") {
            guard let bytes = try Files.read("\(path)/\(file)", limit: limit) else {
                guard Files.isFolder(path) else { throw LogSourceError.unreachable(source: path, reason: "there is no such folder") }
                throw LogSourceError.missing(path: file, source: path)
            }
            return try LogBounds.text(bytes, path: "\(path)/\(file)")
        }
    }

    private func prefetch(_ file: String) {
        let descriptor = open("\(path)/\(file)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_WILLNEED)
        close(descriptor)
    }

    func readHashes(of tile: Tile) throws(LogSourceError) -> [UInt8]? {
        guard let bytes = try read(tile, \.path, limit: LogBounds.tile) else { return nil }
        return try LogBounds.cut(hashes: bytes, to: tile)
    }

    func readBundle(of tile: Tile) throws(LogSourceError) -> [UInt8]? {
        guard let bytes = try read(tile, \.bundlePath, limit: LogBounds.bundle) else { return nil }
        return tile.isFull ? bytes : LogBounds.cut(bundle: bytes, to: tile)
    }

    /// The file of this tile, or of a fuller one with its index.
    private func read(_ tile: Tile, _ place: (Tile) -> String, limit: Int) throws(LogSourceError) -> [UInt8]? {
        if let bytes = try Files.read("\(path)/\(place(tile))", limit: limit) { return bytes }
        if tile.isFull { return nil }
        let full = place(Tile(level: tile.level, index: tile.index))
        if let bytes = try Files.read("\(path)/\(full)", limit: limit) { return bytes }
        let widths = try Files.names(in: "\(path)/\(full).p", limit: Tile.fullWidth * 2).compactMap { Int($0) }
        guard let wider = widths.filter({ $0 > tile.width && $0 < Tile.fullWidth }).min() else { return nil }
        return try Files.read("\(path)/\(place(Tile(level: tile.level, index: tile.index, width: wider)))", limit: limit)
    }
}
