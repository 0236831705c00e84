internal import Crypto
internal import Glibc
internal import Synchronization
internal import Threads

/// Writes a bundle: a folder in the tlog-tiles layout, held by one process at a time. Every file is whole and on disk before
/// its name is there; the checkpoint comes last, so that it never speaks of what is not there.
final class BundleFolder: Sendable {
    let path: String
    private let lock: Int32
    /// Folders with names that may not be on disk yet.
    private let unsynced = Lock<Set<String>>([])

    /// Makes the folder where there is none, and takes it. Blocks.
    init(_ path: String) throws(LogSourceError) {
        self.path = FolderLogSource(path).path
        try Files.makeFolder(self.path)
        let file = open(self.path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .unreachable(source: path, reason: "cannot make a file in it: \(String(cString: strerror(errno)))") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw .unreachable(source: path, reason: "another process is writing to this folder")
        }
        lock = file
    }

    deinit { close(lock) }

    /// The folder as a source.
    var source: FolderLogSource { FolderLogSource(path) }

    /// Stores the entries of a tile. Blocks.
    func store(entries: [UInt8], of tile: Tile) throws { try put(tile.bundlePath, entries) }

    /// Stores a tile's hashes. Blocks.
    func store(hashes: [UInt8], of tile: Tile) throws { try put(tile.path, hashes) }

    /// Stores a document of evidence. Blocks.
    func store(evidence bytes: [UInt8], _ digest: Digest) throws { try put(EvidencePath.of(digest), bytes) }

    /// Up to which position all evidence is here; 0 when nobody wrote it down. Blocks.
    func evidenceThrough() throws -> UInt64 {
        guard let bytes = try Files.read(path + "/evidence/through", limit: 32) else { return 0 }
        return UInt64(String(decoding: bytes, as: UTF8.self)) ?? 0
    }

    /// Writes down up to which position all evidence is here. Blocks.
    func keep(evidenceThrough position: UInt64) throws { try put("evidence/through", Array(String(position).utf8)) }

    /// Keeps a checkpoint for audits to come. Blocks.
    func keep(_ signed: SignedCheckpoint) throws {
        try put("checkpoints/\(signed.checkpoint.size)", Array(signed.note.encoded.utf8))
    }

    /// Adds verifier keys to those that the folder names. Blocks.
    func add(keys: [VerifierKey]) throws {
        var known =
            try Files.read(path + "/keys", limit: LogBounds.keys).map { try LogBounds.keys(LogBounds.text($0, path: "keys"), path: "keys") }
            ?? []
        let fresh = keys.filter { !known.contains($0) }
        guard !fresh.isEmpty else { return }
        known = fresh + known
        try put("keys", Array(known.map { "\($0)\n" }.joined().utf8))
    }

    /// Keeps what the log's keys said of those that followed them. A list that is shorter than the one that is here changes nothing. Blocks.
    /// - Throws: ``LogSourceError`` when it contradicts the one that is here.
    func keep(rotations: [LogRotation]) throws {
        let file = path + "/rotations"
        let known = try Files.read(file, limit: LogBounds.rotations).map { try LogBounds.rotations($0, path: file) } ?? []
        guard known.count < rotations.count else {
            if !known.starts(with: rotations) { throw LogSourceError.malformed(path: file, reason: Self.otherRotations) }
            return
        }
        guard rotations.starts(with: known) else { throw LogSourceError.malformed(path: file, reason: Self.otherRotations) }
        try put("rotations", Array(LogRotation.text(rotations).utf8))
    }

    private static let otherRotations = "the log now tells of other rotations of its key than those that were kept here"

    /// Shows a checkpoint, once everything that it speaks of is on disk. Blocks.
    func publish(_ note: String) throws {
        try flush()
        try Files.replace(path + "/checkpoint", with: Array(note.utf8), syncingFolder: true)
    }

    /// Sees to it that all stored files have their names on disk. Blocks.
    func flush() throws {
        let folders = unsynced.withLock { $0 }
        for folder in folders.sorted() {
            try Files.syncFolder(folder)
            // A folder's own name lies in the one above it, which may be new too.
            var above = Files.parent(of: folder)
            while above.utf8.count >= path.utf8.count {
                try Files.syncFolder(above)
                if above == path { break }
                above = Files.parent(of: above)
            }
        }
        unsynced.withLock { $0.subtract(folders) }
    }

    /// Removes the partial tiles of an older size that a newer one made superfluous. Blocks.
    func removePartials(of old: UInt64, for new: UInt64) {
        var level = 0
        while Tile.count(level: level, size: old) > 0 {
            let count = Tile.count(level: level, size: old)
            if let tile = Tile.at(level: level, index: count >> UInt64(Tile.height), size: old), !tile.isFull,
                let grown = Tile.at(level: level, index: tile.index, size: new), grown.width > tile.width
            {
                remove(tile.path)
                if level == 0 { remove(tile.bundlePath) }
            }
            level += 1
        }
    }

    private func remove(_ partial: String) {
        Files.remove("\(path)/\(partial)")
        Files.removeFolder(Files.parent(of: "\(path)/\(partial)"))
    }

    private func put(_ name: String, _ bytes: [UInt8]) throws {
        let file = "\(path)/\(name)"
        try Files.replace(file, with: bytes, syncingFolder: false)
        _ = unsynced.withLock { $0.insert(Files.parent(of: file)) }
    }
}
