internal import Crypto
import Glibc

/// A file mapped into memory for reading.
// Sendable: the memory is mapped read-only, nothing here changes after init, and it is unmapped when nobody refers to it any more.
final class MappedFile: @unchecked Sendable {
    let path: String
    let base: UnsafeRawPointer
    let count: Int
    /// As it was when it was mapped.
    let status: stat

    init(path: String) throws(CorpusIndexError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, action: "open", code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(path: path, action: "look at", code: errno) }
        guard status.st_size > 0 else { throw .corrupt(path: path, reason: "it is empty") }
        guard let memory = mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw .file(path: path, action: "map", code: errno)
        }
        self.path = path
        self.status = status
        base = UnsafeRawPointer(memory)
        count = Int(status.st_size)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), count) }

    /// The hash of all bytes.
    func digest() -> Digest {
        let hasher = SHA256Hasher()
        var offset = 0
        while offset < count {
            let piece = min(1 << 20, count - offset)
            let start = (base + offset).assumingMemoryBound(to: UInt8.self)
            hasher.update(UnsafeBufferPointer(start: start, count: piece).span)
            offset += piece
        }
        return hasher.finish()
    }
}
