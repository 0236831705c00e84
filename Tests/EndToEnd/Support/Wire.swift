import Glibc

/// A client that says exactly what it is told to, on a blocking socket; for threads of their own.
final class Wire {
    private let descriptor: Int32

    /// Connects to a port of this machine. Writing and reading wait so long at most.
    init(port: Int, patience: Double = 5) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: Int(patience), tv_usec: Int(patience.truncatingRemainder(dividingBy: 1) * 1_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        if result < 0 { throw Unfit("connect: errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends what goes; the rest is lost when the other side has gone.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            sent += count
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// One read; nil at the end of the connection, however it came; empty when nothing came in time.
    func take() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return Array(buffer[..<count]) }
            if count < 0, errno == EINTR { continue }
            return count < 0 && errno == EAGAIN ? [] : nil
        }
    }

    /// Everything up to the end of the connection, or until nothing comes in time.
    func rest() -> (text: String, isClosed: Bool) {
        var all: [UInt8] = []
        while let some = take() {
            if some.isEmpty { return (String(decoding: all, as: UTF8.self), false) }
            all += some
        }
        return (String(decoding: all, as: UTF8.self), true)
    }

    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The connection ends by RST when this goes.
    func resetAtEnd() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Takes almost nothing from the other side.
    func narrow() {
        var size: Int32 = 1_024
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }
}
