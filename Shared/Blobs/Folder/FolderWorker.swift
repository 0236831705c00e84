internal import Crypto
internal import Glibc
internal import Threads

/// One thread that works on the files of a folder store.
actor FolderWorker {
    private let executor: ThreadExecutor
    private let root: String
    /// Folders that are known to be there.
    private var folders: Set<String> = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(root: String, index: Int) {
        executor = ThreadExecutor(name: "blobs-\(index)")
        self.root = root
    }

    deinit { executor.stop() }

    /// Up to this many files are synced one by one; beyond, one sync of the whole file system is faster.
    private static let fewFiles = 4

    func put(_ name: BlobName, _ bytes: BlobBytes) async throws {
        let path = try place(of: name)
        if access(path, F_OK) == 0 { return }
        let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
        let file = try FileCalls.open(draft, O_WRONLY | O_CREAT | O_EXCL, "create")
        defer { close(file) }
        do {
            for try await piece in bytes { try FileCalls.write(file, piece, draft) }
            try FileCalls.sync(file, draft)
            try settle(draft, path)
            try FileCalls.syncFolder(folder(of: path))
        } catch {
            unlink(draft)
            throw error
        }
    }

    func put(_ blobs: [NamedBlob]) throws(BlobError) {
        let one = blobs.count <= Self.fewFiles
        var drafts: [(draft: String, path: String)] = []
        defer { for draft in drafts { unlink(draft.draft) } }
        for blob in blobs {
            let path = try place(of: blob.name)
            if access(path, F_OK) == 0 { continue }
            let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
            let file = try FileCalls.open(draft, O_WRONLY | O_CREAT | O_EXCL, "create")
            defer { close(file) }
            drafts.append((draft, path))
            try FileCalls.write(file, blob.bytes, draft)
            if one { try FileCalls.sync(file, draft) }
        }
        guard !drafts.isEmpty else { return }
        if !one { try syncRoot() }
        for draft in drafts {
            try settle(draft.draft, draft.path)
            if one { try FileCalls.syncFolder(folder(of: draft.path)) }
        }
        if !one { try syncRoot() }
    }

    func count(of name: BlobName) throws(BlobError) -> Int? {
        let path = path(of: name)
        var status = stat()
        if stat(path, &status) == 0 { return Int(status.st_size) }
        if errno == ENOENT { return nil }
        throw FileCalls.failed("look at", path)
    }

    /// Opens a blob for reading; who gets the file closes it.
    func open(_ name: BlobName, range: Range<Int>?) throws(BlobError) -> (file: Int32, range: Range<Int>) {
        let path = path(of: name)
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 && errno == ENOENT { throw .notFound(name) }
        guard file >= 0 else { throw FileCalls.failed("read", path) }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            close(file)
            throw FileCalls.failed("read", path)
        }
        let whole = 0..<Int(status.st_size)
        guard let range else { return (file, whole) }
        guard range.lowerBound >= 0, range.upperBound <= whole.upperBound else {
            close(file)
            throw .outOfRange(name, range: range, count: whole.count)
        }
        return (file, range)
    }

    func read(_ file: Int32, at offset: Int, count: Int, _ name: BlobName) throws(BlobError) -> [UInt8] {
        let bytes = try FileCalls.read(file, at: offset, count: count, path(of: name))
        guard bytes.count == count else { throw .damaged(name, reason: "it ends early") }
        return bytes
    }

    func remove(_ name: BlobName) throws(BlobError) {
        let path = path(of: name)
        if unlink(path) == 0 { return try FileCalls.syncFolder(folder(of: path)) }
        guard errno == ENOENT else { throw FileCalls.failed("remove", path) }
    }

    /// Gives a finished draft its name; when the name is taken, what is there stays.
    private func settle(_ draft: String, _ path: String) throws(BlobError) {
        // A link, unlike a rename, never replaces: of two writers of one name the first wins.
        if link(draft, path) != 0 && errno != EEXIST { throw FileCalls.failed("keep", path) }
        unlink(draft)
    }

    private func syncRoot() throws(BlobError) {
        let file = try FileCalls.open(root, O_RDONLY | O_DIRECTORY, "open")
        defer { close(file) }
        try FileCalls.syncAll(file, root)
    }

    private func place(of name: BlobName) throws(BlobError) -> String {
        let path = path(of: name)
        let folder = folder(of: path)
        if !folders.contains(folder) {
            try FileCalls.makeFolder(folder)
            // 65,536 folders a space are the most there can be; a handful of spaces stays small.
            folders.insert(folder)
        }
        return path
    }

    /// Two levels of 256 folders: a million blobs are about 15 to a folder.
    private func path(of name: BlobName) -> String {
        let hex = name.digest.hex
        return "\(root)/\(name.space)/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
    }

    private func folder(of path: String) -> String { String(path.dropLast(65)) }
}
