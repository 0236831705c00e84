internal import Crypto
internal import Glibc

/// Files of a bundle. Every call blocks: call them on a thread of their own.
enum Files {
    /// Reads a whole file of at most `limit` bytes; nil when there is none.
    static func read(_ path: String, limit: Int) throws(LogSourceError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard file >= 0 else { throw failed("open", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failed("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .malformed(path: path, reason: "is not a regular file") }
        guard status.st_size <= limit else { throw .oversized(path: path, limit: limit) }
        var failure: LogSourceError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            while count < buffer.count {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = failed("read", path) }
                if got <= 0 { return }
                count += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Puts a whole file in place at once: a reader sees the old content or the new. The content is on disk when this returns.
    /// - Parameter syncingFolder: whether its name must be, too; otherwise ``syncFolder(_:)`` sees to it for many at once.
    static func replace(_ path: String, with content: [UInt8], syncingFolder: Bool) throws(LogSourceError) {
        let draft = "\(path).\(Hex.encode(Random.bytes(6))).new"
        var file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if file < 0, errno == ENOENT {
            try makeFolder(parent(of: path))
            file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        guard file >= 0 else { throw failed("create", draft) }
        do throws(LogSourceError) {
            defer { close(file) }
            try write(file, content, draft)
            if fsync(file) != 0 { throw failed("sync", draft) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let error = failed("replace", path)
            unlink(draft)
            throw error
        }
        if syncingFolder { try syncFolder(parent(of: path)) }
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws(LogSourceError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, !path.isEmpty, path != "/" else { throw failed("make", path) }
        try makeFolder(parent(of: path))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failed("make", path) }
    }

    /// The names in a folder; none when there is no such folder.
    static func names(in folder: String, limit: Int) throws(LogSourceError) -> [String] {
        guard let listing = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failed("list", folder)
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < limit else { throw .malformed(path: folder, reason: "holds more than \(limit) files") }
            names.append(name)
        }
        return names
    }

    /// Whether there is such a folder.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes a file, if it is there.
    static func remove(_ path: String) { unlink(path) }

    /// Removes an empty folder, if it is there.
    static func removeFolder(_ path: String) { rmdir(path) }

    private static func write(_ file: Int32, _ content: [UInt8], _ path: String) throws(LogSourceError) {
        var done = 0
        while done < content.count {
            let put = content.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw failed("write", path) }
            done += put
        }
    }

    /// A new name outlives a power cut only once its folder is on disk.
    static func syncFolder(_ folder: String) throws(LogSourceError) {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw failed("open", folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failed("sync", folder) }
    }

    /// The folder a path lies in.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failed(_ operation: String, _ path: String) -> LogSourceError {
        let code = errno
        return .unreachable(source: path, reason: "\(operation): \(String(cString: strerror(code)))")
    }
}
