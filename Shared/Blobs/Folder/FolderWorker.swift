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
    private static let fewFiles = 64

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

    /// Keeps several groups of blobs, waiting for the disk once for the files and once for their names.
    /// - Returns: why a group could not be kept; nil for one that is durable.
    func put(_ groups: [[NamedBlob]]) -> [BlobError?] {
        var faults = [BlobError?](repeating: nil, count: groups.count)
        var drafts: [Draft] = []
        defer {
            for draft in drafts {
                close(draft.file)
                unlink(draft.place)
            }
        }
        for (group, blobs) in groups.enumerated() {
            for blob in blobs where faults[group] == nil {
                do throws(BlobError) {
                    if let draft = try begin(blob, group) {
                        drafts.append(draft)
                        try FileCalls.write(draft.file, blob.bytes, draft.place)
                    }
                } catch { faults[group] = error }
            }
        }
        let isFew = drafts.count <= Self.fewFiles
        // All at once: what the first then waits for has the others on the disk as well.
        if isFew { for draft in drafts { FileCalls.startWriting(draft.file) } }
        syncEach(isFew, drafts.map { ($0.group, $0) }, &faults) { draft throws(BlobError) in try FileCalls.sync(draft.file, draft.place) }
        var folders: [(group: Int, thing: String)] = []
        for draft in drafts where faults[draft.group] == nil {
            do throws(BlobError) {
                try settle(draft.place, draft.path)
                folders.append((draft.group, folder(of: draft.path)))
            } catch { faults[draft.group] = error }
        }
        syncEach(isFew, folders, &faults) { folder throws(BlobError) in try FileCalls.syncFolder(folder) }
        return faults
    }

    /// A blob on its way: its file, under a name that nobody else uses.
    private struct Draft {
        let file: Int32
        let place: String
        let path: String
        let group: Int
    }

    /// Nil for a blob that is there already.
    private func begin(_ blob: NamedBlob, _ group: Int) throws(BlobError) -> Draft? {
        let path = try place(of: blob.name)
        if access(path, F_OK) == 0 { return nil }
        let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
        return Draft(
            file: try FileCalls.open(draft, O_WRONLY | O_CREAT | O_EXCL, "create"), place: draft, path: path, group: group)
    }

    private func syncEach<Thing>(
        _ isFew: Bool, _ things: [(group: Int, thing: Thing)], _ faults: inout [BlobError?], _ sync: (Thing) throws(BlobError) -> Void
    ) {
        if things.isEmpty { return }
        guard isFew else {
            do throws(BlobError) { try syncRoot() } catch { for (group, _) in things where faults[group] == nil { faults[group] = error } }
            return
        }
        for (group, thing) in things where faults[group] == nil {
            do throws(BlobError) { try sync(thing) } catch { faults[group] = error }
        }
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
