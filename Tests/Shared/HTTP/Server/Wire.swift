import Glibc
import Synchronization
import Threads

/// A client that says exactly what it is told to, over a blocking socket: for use on threads that may wait.
final class Wire: Sendable {
    /// How a connection ended, as the client saw it.
    enum End: Equatable { case open, closed, reset }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// One reply.
    struct Reply: Equatable {
        var status: Int
        var head: String
        var body: String

        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() where line.lowercased().hasPrefix(name.lowercased() + ":") {
                return String(line.dropFirst(name.count + 1).drop { $0 == " " })
            }
            return nil
        }
    }

    let descriptor: Int32
    private let received = Lock<[UInt8]>([])

    init(port: Int, from source: String = "127.0.0.1") throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, source, &address.sin_addr)
        try Self.call("bind", &address) { bind(descriptor, $0, $1) }
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        try Self.call("connect", &address) { connect(descriptor, $0, $1) }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        wait(seconds: 10)
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try Self.call("connect", &address) { connect(descriptor, $0, $1) }
        wait(seconds: 10)
    }

    deinit { Glibc.close(descriptor) }

    private static func call<Name>(_ name: String, _ address: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws {
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
        }
        if result < 0 { throw Failure(description: "\(name): errno \(errno)") }
    }

    /// How long reading and writing wait.
    func wait(seconds: Double) {
        var time = timeval(tv_sec: Int(seconds), tv_usec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends all of it; the number of bytes that went before the connection ended or nothing moved for the time set.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            sent += count
        }
        return sent
    }

    /// Each scalar is one byte.
    @discardableResult
    func send(_ text: String) -> Int { send(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) }

    func get(_ target: String, fields: String = "") { send("GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") }

    func post(_ target: String, _ body: String) {
        send("POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// The client's FIN, while it still reads.
    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection at once, by FIN or by RST. The descriptor stays until this is gone.
    func hangUp(reset: Bool) {
        if reset {
            // Connecting an inet socket to nothing aborts it.
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            var nowhere = sockaddr()
            nowhere.sa_family = sa_family_t(AF_UNSPEC)
            connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
        } else {
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    private func more() -> End {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                received.withLock { $0 += buffer[..<count] }
                return .open
            }
            if count == 0 { return .closed }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .open }
            return .reset
        }
    }

    /// Everything until the connection ends or nothing comes for the time set.
    func rest() -> (text: String, end: End) {
        while true {
            let before = received.withLock { $0.count }
            let end = more()
            let (text, count) = received.withLock { (String(decoding: $0, as: UTF8.self), $0.count) }
            if end != .open || count == before { return (text, end) }
        }
    }

    /// Reads once, whatever comes.
    func take() -> End { more() }

    /// Waits until that much, or that text, has come, and takes it off.
    func take(until mark: String) throws -> String {
        let wanted = Array(mark.utf8)
        while true {
            let found = received.withLock { bytes -> String? in
                guard bytes.count >= wanted.count else { return nil }
                for start in 0...(bytes.count - wanted.count) where bytes[start..<start + wanted.count].elementsEqual(wanted) {
                    defer { bytes.removeFirst(start + wanted.count) }
                    return String(decoding: bytes[..<(start + wanted.count)], as: UTF8.self)
                }
                return nil
            }
            if let found { return found }
            try grow(mark.debugDescription)
        }
    }

    func take(_ count: Int) throws -> String {
        while received.withLock({ $0.count < count }) { try grow("\(count) bytes") }
        return received.withLock { bytes in
            defer { bytes.removeFirst(count) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    private func grow(_ wanted: String) throws {
        let before = received.withLock { $0.count }
        let end = more()
        let now = received.withLock { $0 }
        if now.count == before {
            throw Failure(
                description: "waited for \(wanted), had \(String(decoding: now.suffix(200), as: UTF8.self).debugDescription), \(end)")
        }
    }

    /// The next reply, whole.
    func reply(toHead: Bool = false) throws -> Reply {
        let head = try take(until: "\r\n\r\n")
        let status = Int(head.split(separator: " ")[1]) ?? 0
        var reply = Reply(status: status, head: head, body: "")
        if toHead || status < 200 || status == 204 || status == 304 { return reply }
        if let length = reply.field("Content-Length").flatMap({ Int($0) }) {
            reply.body = try take(length)
        } else if reply.field("Transfer-Encoding") == "chunked" {
            while true {
                let size = Int(try take(until: "\r\n").dropLast(1).filter(\.isHexDigit), radix: 16) ?? 0
                reply.body += try take(size)
                _ = try take(2)
                if size == 0 { break }
            }
        } else {
            reply.body = rest().text
        }
        return reply
    }
}
