internal import CEpoll
internal import Glibc

/// A listening, nonblocking socket.
struct Listener {
    let descriptor: Int32
    /// The port in use; 0 for UNIX.
    let port: Int

    /// Opens one.
    /// - Parameter shared: whether other sockets of this process listen on the same port, for several loops.
    init(_ address: Address, backlog: Int, shared: Bool) throws(ServerError) {
        do throws(SystemError) {
            switch address {
            case .ipv4(let host, let port):
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_port = try Self.port(port)
                guard unsafe inet_pton(AF_INET, host, &name.sin_addr) == 1 else { throw SystemError(call: "inet_pton", code: EINVAL) }
                (descriptor, self.port) = try Self.open(family: AF_INET, &name, shared: shared) { Int(UInt16(bigEndian: $0.sin_port)) }
            case .ipv6(let host, let port):
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_port = try Self.port(port)
                guard unsafe inet_pton(AF_INET6, host, &name.sin6_addr) == 1 else { throw SystemError(call: "inet_pton", code: EINVAL) }
                (descriptor, self.port) = try Self.open(family: AF_INET6, &name, shared: shared) { Int(UInt16(bigEndian: $0.sin6_port)) }
            case .unix(let path, let mode, let group):
                var file = try UnixPath(path)
                (descriptor, self.port) = (try file.bind(mode: mode, group: group), 0)
            }
            do throws(SystemError) {
                try checked("listen", Glibc.listen(descriptor, Int32(clamping: backlog)))
            } catch {
                close(descriptor)
                throw error
            }
        } catch {
            throw Self.explain(error, address)
        }
    }

    private static func port(_ port: Int) throws(SystemError) -> in_port_t {
        guard let number = UInt16(exactly: port) else { throw SystemError(call: "port", code: EINVAL) }
        return number.bigEndian
    }

    static func socket(family: Int32) throws(SystemError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return try checked("socket", Glibc.socket(family, kind, 0))
    }

    private static func open<Name>(
        family: Int32, _ name: inout Name, shared: Bool, port: (Name) -> Int
    ) throws(SystemError) -> (Int32, Int) {
        let descriptor = try socket(family: family)
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR)
            if shared { try set(descriptor, SOL_SOCKET, SO_REUSEPORT) }
            // Accepted sockets inherit it.
            try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
            try bind(descriptor, &name)
            var length = socklen_t(MemoryLayout<Name>.size)
            let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
            }
            try checked("getsockname", result)
            return (descriptor, port(name))
        } catch {
            close(descriptor)
            throw error
        }
    }

    static func bind<Name>(_ descriptor: Int32, _ name: inout Name) throws(SystemError) {
        let result = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
            }
        }
        try checked("bind", result)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(SystemError) {
        var one: Int32 = 1
        try checked("setsockopt", unsafe setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size)))
    }

    private static func explain(_ error: SystemError, _ address: Address) -> ServerError {
        let code: ServerError.Code
        let advice: String
        switch error.code {
        case EADDRINUSE: (code, advice) = (.addressInUse, "something else listens there; stop it or choose another address")
        case EACCES, EPERM:
            (code, advice) = (.permission, "this user may not; choose a port above 1023, or a folder and a group it belongs to")
        case EINVAL, ENAMETOOLONG, EADDRNOTAVAIL, ENOENT, ENOTDIR, ENOTSOCK:
            (code, advice) = (.badAddress, "check the address, path or group")
        default: (code, advice) = (.system, "the system refused")
        }
        return ServerError(
            code: code,
            description: "cannot listen on \(address): \(advice) (\(error.call): \(unsafe String(cString: strerror(error.code))))")
    }
}
