internal import CFiles
internal import Crypto
internal import Glibc

/// The few calls of the file system that this room makes. They block: only threads of our own make them.
enum FileCalls {
    static func open(_ path: String, _ flags: Int32, _ operation: String, _ mode: mode_t = 0o600) throws(BlobError) -> Int32 {
        let file = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard file >= 0 else { throw failed(operation, path) }
        return file
    }

    static func write(_ file: Int32, _ bytes: [UInt8], _ path: String) throws(BlobError) {
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw failed("write", path) }
            done += put
        }
    }

    /// Reads up to `count` bytes at an offset; fewer only at the end of the file.
    static func read(_ file: Int32, at offset: Int, count: Int, _ path: String) throws(BlobError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw failed("read", path) }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }

    /// Sends what was written on its way to the disk, without waiting for it.
    static func startWriting(_ file: Int32) { _ = sync_file_range(file, 0, 0, 2) }

    static func sync(_ file: Int32, _ path: String) throws(BlobError) {
        guard fsync(file) == 0 else { throw failed("sync", path) }
    }

    /// Everything of the file system that holds `file`: one wait for any number of files.
    static func syncAll(_ file: Int32, _ path: String) throws(BlobError) {
        guard syncfs(file) == 0 else { throw failed("sync", path) }
    }

    static func syncFolder(_ path: String) throws(BlobError) {
        let file = try open(path, O_RDONLY | O_DIRECTORY, "open")
        defer { close(file) }
        try sync(file, path)
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws(BlobError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw failed("make the folder", path) }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failed("make the folder", path) }
    }

    /// Writes a file whole and durably under a name beside `path` that nobody else uses.
    static func writeDraft(beside path: String, _ bytes: [UInt8]) throws(BlobError) -> String {
        let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
        let file = try open(draft, O_WRONLY | O_CREAT | O_EXCL, "create")
        defer { close(file) }
        do throws(BlobError) {
            try write(file, bytes, draft)
            try sync(file, draft)
        } catch {
            unlink(draft)
            throw error
        }
        return draft
    }

    /// What lies in a folder; nothing where there is none.
    static func names(in folder: String) throws(BlobError) -> [String] {
        guard let listing = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw failed("list", folder)
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The whole of a small file, or nil when there is none.
    static func readSmall(_ path: String, limit: Int) throws(BlobError) -> [UInt8]? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 && errno == ENOENT { return nil }
        guard file >= 0 else { throw failed("read", path) }
        defer { close(file) }
        let bytes = try read(file, at: 0, count: limit + 1, path)
        guard bytes.count <= limit else { throw .tooLarge(what: path, limit: limit) }
        return bytes
    }

    static func failed(_ operation: String, _ path: String) -> BlobError {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return .full(operation: operation, path: path) }
        return .system(operation: operation, path: path, reason: String(cString: strerror(code)))
    }
}
