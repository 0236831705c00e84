import Glibc

/// The few calls on files that a cluster needs, with errors that name the file.
enum Files {
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    static func names(in folder: String) -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    static func status(_ path: String) -> stat? {
        var info = stat()
        return lstat(path, &info) == 0 ? info : nil
    }

    static func exists(_ path: String) -> Bool { status(path) != nil }

    /// The whole of a small file; nil when it cannot be read.
    static func text(_ path: String, last limit: Int = 65_536) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        lseek(file, max(0, size - limit), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = read(file, &bytes, limit)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Writes a file whole or not at all: beside it first, then renamed into place.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600, owner: Account?) throws(ClusterError) {
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path, "write") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
            guard count > 0 || errno == EINTR else { throw failure(path, "write") }
            sent += max(count, 0)
        }
        if let owner, fchown(file, owner.uid, owner.gid) != 0 { throw failure(path, "give away") }
        guard fsync(file) == 0, rename(draft, path) == 0 else { throw failure(path, "write") }
    }

    /// Makes a folder (and those above it) unless it is there; its owner and mode are set either way.
    static func makeFolder(_ path: String, owner: Account?) throws(ClusterError) {
        var above = path
        while let slash = above.lastIndex(of: "/"), slash != above.startIndex {
            above = String(above[..<slash])
            if exists(above) { break }
        }
        let rest = path.dropFirst(above == path ? 0 : above.utf8.count).split(separator: "/")
        var current = above == path ? "" : above
        for (index, name) in rest.enumerated() {
            current += "/" + name
            let last = index == rest.count - 1
            if mkdir(current, last ? 0o700 : 0o755) != 0 && errno != EEXIST { throw failure(current, "make the folder") }
        }
        // A name in /tmp may be somebody else's link by now, and what follows would follow it.
        guard let made = status(path), made.st_mode & S_IFMT == S_IFDIR, made.st_uid == geteuid() || made.st_uid == owner?.uid else {
            throw .file(path: path, doing: "use the folder", code: EPERM)
        }
        guard chmod(path, 0o700) == 0 else { throw failure(path, "set the mode of") }
        if let owner, chown(path, owner.uid, owner.gid) != 0 { throw failure(path, "give away") }
    }

    /// Makes renames and new names inside a folder durable.
    static func sync(folder: String) throws(ClusterError) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder, "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(folder, "sync") }
    }

    /// Removes a folder and all in it; links are removed, not followed.
    static func removeTree(_ path: String) {
        if let info = status(path), info.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { removeTree(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    static func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/") {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            if getcwd(&buffer, buffer.count) != nil { path = text(buffer) + "/" + path }
        }
        // Tidied by text alone, as the last parts may not exist yet; `..` is left to the kernel.
        return "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    static func target(ofLink path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        return readlink(path, &buffer, buffer.count - 1) < 0 ? nil : text(buffer)
    }

    /// The text up to the first zero byte.
    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The path without links; the path itself where it cannot be walked.
    static func realPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func failure(_ path: String, _ doing: String) -> ClusterError { .file(path: path, doing: doing, code: errno) }
}
