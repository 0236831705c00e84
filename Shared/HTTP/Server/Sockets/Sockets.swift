internal import CEpoll
internal import Glibc

/// Calls on connected sockets.
enum Sockets {
    /// Who came in, where that is an IP address.
    struct Remote {
        let address: IPAddress
        let port: Int
    }

    /// The next waiting connection, nonblocking; nil with `errno` when there is none.
    static func accept(_ listener: Int32) -> (descriptor: Int32, remote: Remote?)? {
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe accept4(listener, $0, &length, flags) }
        }
        guard descriptor >= 0 else { return nil }
        let remote: Remote? =
            switch Int32(name.ss_family) {
            case AF_INET:
                unsafe withUnsafeBytes(of: &name) { raw in
                    let v4 = unsafe raw.load(as: sockaddr_in.self)
                    return Remote(address: IPAddress(v4.sin_addr), port: Int(UInt16(bigEndian: v4.sin_port)))
                }
            case AF_INET6:
                unsafe withUnsafeBytes(of: &name) { raw in
                    let v6 = unsafe raw.load(as: sockaddr_in6.self)
                    return Remote(address: IPAddress(v6.sin6_addr), port: Int(UInt16(bigEndian: v6.sin6_port)))
                }
            default: nil
            }
        return (descriptor, remote)
    }

    /// Bytes that wait in the kernel.
    static func waiting(_ descriptor: Int32) -> Int {
        var count: Int32 = 0
        return unsafe ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// `close` then sends RST and drops what the kernel still holds; else a client that never reads keeps it there.
    static func resetOnClose(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// What `recv` gives.
    static func read(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Sends what fits at once and does not care for the rest.
    static func tell(_ descriptor: Int32, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { _ = unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
