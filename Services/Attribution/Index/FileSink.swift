internal import Crypto
import Glibc

/// Writes a file, hashes what goes by, and makes it safe on disk. The first failure is kept and thrown by `finish`; what comes after it
/// goes nowhere.
struct FileSink: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let hasher = SHA256Hasher()
    // Of the same bytes, for a file that ends with its own hash.
    private var inner: SHA256Hasher?
    private(set) var count = 0
    private var buffer: [UInt8] = []
    private var failure: CorpusIndexError?

    init(path: String, endsWithHash: Bool = false) throws(CorpusIndexError) {
        self.path = path
        inner = endsWithHash ? SHA256Hasher() : nil
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, action: "create", code: errno) }
        buffer.reserveCapacity(1 << 20)
    }

    deinit { close(descriptor) }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        if buffer.count + bytes.count <= 1 << 20 {
            buffer.append(contentsOf: bytes)
            return
        }
        flush()
        put(bytes)
    }

    /// Writes numbers as they lie in memory.
    mutating func write<Number: FixedWidthInteger>(all numbers: [Number]) {
        numbers.withUnsafeBytes { write($0) }
    }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { write($0) }
    }

    /// Fills up to a multiple of eight bytes.
    mutating func align() { write(all: [UInt8](repeating: 0, count: -count & 7)) }

    /// Writes the hash of all bytes so far.
    mutating func seal() {
        flush()
        guard let digest = inner?.finish() else { return }
        inner = nil
        write(all: digest.bytes)
    }

    /// Makes the bytes durable and gives their hash.
    mutating func finish() throws(CorpusIndexError) -> Digest {
        flush()
        if let failure { throw failure }
        guard fsync(descriptor) == 0 else { throw .file(path: path, action: "sync", code: errno) }
        return hasher.finish()
    }

    private mutating func flush() {
        let full = buffer
        buffer = []
        full.withUnsafeBytes { put($0) }
        buffer.reserveCapacity(1 << 20)
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        hasher.update(bytes.bindMemory(to: UInt8.self).span)
        inner?.update(bytes.bindMemory(to: UInt8.self).span)
        var offset = 0
        while offset < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                failure = .file(path: path, action: "write", code: errno)
                return
            }
            offset += written
        }
    }
}

enum Files {
    /// Gives a file its final name, durably.
    static func rename(_ from: String, to: String) throws(CorpusIndexError) {
        guard Glibc.rename(from, to) == 0 else { throw .file(path: to, action: "rename to", code: errno) }
        let folder = to.lastIndex(of: "/").map { String(to[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: folder, action: "open", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .file(path: folder, action: "sync", code: errno) }
    }

    /// Gives a file a second name; one that is there already under that name gives way. Where the file system has no links, it is copied.
    static func link(_ from: String, to: String) throws(CorpusIndexError) {
        let passing = to + ".new"
        try remove(passing)
        if Glibc.link(from, passing) != 0 {
            guard errno != ENOENT else { throw .corrupt(path: from, reason: "it is gone") }
            let file = try MappedFile(path: from)
            var sink = try FileSink(path: passing)
            sink.write(UnsafeRawBufferPointer(start: file.base, count: file.count))
            _ = try sink.finish()
        }
        try rename(passing, to: to)
    }

    static func remove(_ path: String) throws(CorpusIndexError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .file(path: path, action: "delete", code: errno) }
    }

    static func makeFolder(_ path: String) throws(CorpusIndexError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .file(path: path, action: "create", code: errno) }
    }

    /// The names in a folder, ascending; none where it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
