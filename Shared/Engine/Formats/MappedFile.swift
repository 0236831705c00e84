internal import Glibc

/// A file's bytes, mapped into memory and read only: pages come when they are touched, and the system may drop them again.
///
/// Whoever replaces a mapped file must do so by renaming another onto it, as ``WholeFile`` does: a file cut short in place
/// would end the process with SIGBUS at the next read beyond its end.
// @unchecked: the mapping is made read-only before any other reference exists, `base` and `count` are constants, nothing
// writes through the pointer, and the pages live until deinit, when no reference is left. So all threads may read at once.
final class MappedFile: @unchecked Sendable {
    let path: String
    /// Nil for an empty file, which mmap refuses.
    private let base: UnsafeRawPointer?
    let count: Int

    init(path: String) throws(FormatError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FormatError.fromSystem("cannot be opened", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FormatError.fromSystem("cannot be read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FormatError(.system, file: path, "is not a regular file") }
        self.path = path
        count = Int(status.st_size)
        guard count > 0 else {
            base = nil
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw FormatError.fromSystem("cannot be mapped into memory", path)
        }
        base = UnsafeRawPointer(start)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// Lends the bytes; they must not be kept.
    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }
}

extension FormatError {
    /// The fault that `errno` tells of.
    static func fromSystem(_ what: String, _ path: String) -> FormatError {
        let code = errno
        return FormatError(code == ENOENT ? .missing : .system, file: path, "\(what): \(String(cString: strerror(code)))")
    }
}
