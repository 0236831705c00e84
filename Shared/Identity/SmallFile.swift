internal import Crypto
internal import Glibc

/// Files of keys: small, read whole, replaced whole. These calls block; programs make them when they start.
enum SmallFile {
    /// Reads a regular file of at most `limit` bytes.
    /// - Parameter isPrivate: refuse a file that others than its owner may touch.
    static func read(_ path: String, limit: Int, isPrivate: Bool = false) throws(FileError) -> [UInt8] {
        let file = try open(path, O_RDONLY, "read")
        defer { close(file) }
        // Asked of the open file, not the path, which could name another one by now.
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failed("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        if isPrivate && status.st_mode & 0o077 != 0 { throw .exposed(path: path, mode: status.st_mode & 0o777) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count <= limit {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw failed("read", path) }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else { throw .tooLarge(path: path, limit: limit) }
        return Array(bytes[..<count])
    }

    /// Puts the whole content in place at once, durably: a reader sees the old file or the new one.
    static func replace(_ path: String, with content: [UInt8], mode: mode_t) throws(FileError) {
        let draft = try writeDraft(beside: path, content, mode)
        guard rename(draft, path) == 0 else {
            let error = failed("replace", path)
            unlink(draft)
            throw error
        }
        try syncFolder(of: path)
    }

    /// Puts the whole content in place at once unless a file is there already; false then.
    static func create(_ path: String, with content: [UInt8], mode: mode_t) throws(FileError) -> Bool {
        let draft = try writeDraft(beside: path, content, mode)
        defer { unlink(draft) }
        // A hard link, unlike a rename, fails when the name is taken: of two that start at once, one makes the key.
        if link(draft, path) == 0 {
            try syncFolder(of: path)
            return true
        }
        if errno == EEXIST { return false }
        throw failed("create", path)
    }

    /// Appends in one write, durably.
    static func append(_ path: String, _ content: [UInt8], mode: mode_t) throws(FileError) {
        let file = try open(path, O_WRONLY | O_APPEND | O_CREAT, "append to", mode)
        defer { close(file) }
        try write(file, content, path)
    }

    /// Whether there is something at the path.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func writeDraft(beside path: String, _ content: [UInt8], _ mode: mode_t) throws(FileError) -> String {
        let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
        let file = try open(draft, O_WRONLY | O_CREAT | O_EXCL, "create", mode)
        defer { close(file) }
        do throws(FileError) { try write(file, content, draft) } catch {
            unlink(draft)
            throw error
        }
        return draft
    }

    private static func write(_ file: Int32, _ content: [UInt8], _ path: String) throws(FileError) {
        var done = 0
        while done < content.count {
            let put = content.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw failed("write", path) }
            done += put
        }
        guard fsync(file) == 0 else { throw failed("write", path) }
    }

    private static func syncFolder(of path: String) throws(FileError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = try open(folder, O_RDONLY | O_DIRECTORY, "open")
        defer { close(file) }
        // A new name outlives a power cut only once its folder is on disk.
        guard fsync(file) == 0 else { throw failed("sync", folder) }
    }

    private static func open(_ path: String, _ flags: Int32, _ operation: String, _ mode: mode_t = 0) throws(FileError) -> Int32 {
        let file = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK, mode)
        guard file >= 0 else { throw failed(operation, path) }
        return file
    }

    private static func failed(_ operation: String, _ path: String) -> FileError {
        let code = errno
        return .system(operation: operation, path: path, reason: String(cString: strerror(code)))
    }
}
