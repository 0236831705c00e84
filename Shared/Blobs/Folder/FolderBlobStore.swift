internal import Crypto
internal import Glibc

/// Blobs as files of a folder: `<root>/<space>/ab/cd/<digest>`, readable by the owner of the process only.
///
/// A file is written under a draft's name, synced, and linked to its own name, so no reader sees half of it and a power
/// cut leaves either all or nothing. Drafts that a crash left have a name with a dot and do no harm.
public final class FolderBlobStore: BlobStore {
    private let workers: [FolderWorker]
    private let puts: BatchedPuts

    /// Opens the store, making the folder where there is none.
    public init(root: String, threads: Int = 4) throws(BlobError) {
        guard (1...64).contains(threads) else { throw .badSetting(name: "threads", reason: "has to be between 1 and 64") }
        guard root.hasPrefix("/") else { throw .badSetting(name: "the blob folder", reason: "has to be an absolute path") }
        try FileCalls.makeFolder(root)
        workers = (0..<threads).map { FolderWorker(root: root, index: $0) }
        puts = BatchedPuts(FolderWorker(root: root, index: threads))
    }

    /// See ``BlobStore``. The drafts are written as the pieces come.
    public func put(_ name: BlobName, _ bytes: BlobBytes) async throws { try await worker(for: name).put(name, bytes) }

    /// See ``BlobStore``. Those of many callers go to the disk together.
    public func put(_ blobs: [NamedBlob]) async throws {
        if !blobs.isEmpty { try await puts.put(blobs) }
    }

    /// See ``BlobStore``.
    public func count(of name: BlobName) async throws -> Int? { try await worker(for: name).count(of: name) }

    /// See ``BlobStore``.
    public func bytes(of name: BlobName, range: Range<Int>?) async throws -> BlobBytes {
        let worker = worker(for: name)
        // Asked now, so that what is not there is known before the first byte.
        guard let count = try await worker.count(of: name) else { throw BlobError.notFound(name) }
        if let range, range.lowerBound < 0 || range.upperBound > count {
            throw BlobError.outOfRange(name, range: range, count: count)
        }
        return BlobBytes {
            let (file, range) = try await worker.open(name, range: range)
            return FileSource(worker, file, name, range)
        }
    }

    /// See ``BlobStore``.
    public func remove(_ name: BlobName) async throws { try await worker(for: name).remove(name) }

    private func worker(for name: BlobName) -> FolderWorker {
        workers[Int(name.digest.bytes[0]) % workers.count]
    }
}

/// One reading of a file.
private actor FileSource: BlobSource {
    private let worker: FolderWorker
    private let file: Int32
    private let name: BlobName
    private var rest: Range<Int>
    private static let piece = 256 << 10

    init(_ worker: FolderWorker, _ file: Int32, _ name: BlobName, _ range: Range<Int>) {
        self.worker = worker
        self.file = file
        self.name = name
        rest = range
    }

    deinit { close(file) }

    func next() async throws -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        let count = min(rest.count, Self.piece)
        let offset = rest.lowerBound
        rest = (offset + count)..<rest.upperBound
        return try await worker.read(file, at: offset, count: count, name)
    }
}
