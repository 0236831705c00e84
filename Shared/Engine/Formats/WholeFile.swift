internal import Crypto
internal import Glibc

/// Files read and replaced as a whole. These calls block: make them on a thread of one's own.
enum WholeFile {
    /// Reads a regular file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FormatError) -> [UInt8] {
        let file = try MappedFile(path: path)
        guard file.count <= limit else {
            throw FormatError(.tooLarge, file: path, "has \(file.count) bytes, more than the \(limit) that are read")
        }
        return file.withUnsafeBytes { Array($0) }
    }

    /// Whether there is something at the path.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes the folder unless it is there; its parent must be.
    static func makeFolder(_ path: String) throws(FormatError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .fromSystem("cannot be made", path) }
    }

    /// Puts the content in place at once, durably: a reader sees the old file or the new one, also after a power cut.
    static func replace(_ path: String, with content: [UInt8]) throws(FormatError) {
        let draft = "\(path).\(Hex.encode(Random.bytes(8)))"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .fromSystem("cannot be created", draft) }
        do throws(FormatError) {
            defer { close(file) }
            var done = 0
            while done < content.count {
                let put = content.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
                if put < 0 && errno == EINTR { continue }
                guard put > 0 else { throw .fromSystem("cannot be written", draft) }
                done += put
            }
            guard fsync(file) == 0 else { throw .fromSystem("cannot be written", draft) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let error = FormatError.fromSystem("cannot be replaced", path)
            unlink(draft)
            throw error
        }
        try syncFolder(of: path)
    }

    private static func syncFolder(of path: String) throws(FormatError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw .fromSystem("cannot be opened", folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .fromSystem("cannot be written", folder) }
    }
}
