internal import CEpoll
internal import Glibc

/// A UNIX socket in the file system.
struct UnixPath {
    let path: String
    private var name = sockaddr_un()

    init(_ path: String) throws(SystemError) {
        self.path = path
        name.sun_family = sa_family_t(AF_UNIX)
        guard !path.isEmpty, path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else {
            throw SystemError(call: "path", code: path.isEmpty ? EINVAL : ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    }

    /// A bound socket with that mode and group, which does not listen yet: until it does, nobody can come in who should not.
    mutating func bind(mode: UInt16, group: String?) throws(SystemError) -> Int32 {
        let descriptor = try Listener.socket(family: AF_UNIX)
        do throws(SystemError) {
            try removeStale()
            try Listener.bind(descriptor, &name)
            if let group { try checked("chown", unsafe chown(path, uid_t.max, Self.identifier(ofGroup: group))) }
            try checked("chmod", unsafe chmod(path, mode_t(mode)))
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Takes away the socket that a process left behind when it was killed; never a file, and never one that is served.
    private mutating func removeStale() throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(call: "path", code: ENOTSOCK) }
        let probe = try Listener.socket(family: AF_UNIX)
        defer { close(probe) }
        let result = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result < 0, errno == ECONNREFUSED else { throw SystemError(call: "bind", code: EADDRINUSE) }
        unsafe unlink(path)
    }

    private static func identifier(ofGroup name: String) throws(SystemError) -> gid_t {
        if let number = gid_t(name) { return number }
        var entry = unsafe group()
        var found: UnsafeMutablePointer<group>? = nil
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let status = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
        guard status == 0, unsafe found != nil else { throw SystemError(call: "group \(name)", code: ENOENT) }
        return unsafe entry.gr_gid
    }
}
