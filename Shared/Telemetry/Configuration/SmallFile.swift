internal import Glibc

/// Reads files that are small by nature: settings, secrets, /proc.
enum SmallFile {
    /// The file's bytes; nil when it cannot be read or is longer than `limit`. `errno` tells why.
    static func read(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return all }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            guard all.count + count <= limit else {
                errno = EFBIG
                return nil
            }
            all.append(contentsOf: buffer[..<count])
        }
    }

    /// The words for the last failure of `read`.
    static func reason() -> String { String(cString: strerror(errno)) }
}
