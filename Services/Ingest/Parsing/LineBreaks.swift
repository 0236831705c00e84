internal import Glibc

/// Finds ends of lines as fast as memory is read: a line that is not wanted may be a gigabyte long.
enum LineBreaks {
    /// The place of the next line feed; nil when there is none.
    static func next(in bytes: [UInt8], from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        return bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress, let found = memchr(base + start, 0x0a, all.count - start) else { return nil }
            return base.distance(to: UnsafeRawPointer(found))
        }
    }
}
