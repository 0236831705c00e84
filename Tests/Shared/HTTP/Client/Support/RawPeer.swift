import Glibc
import Synchronization
import Testing
import Threads

/// A server that answers by script, byte for byte: for what no decent server does.
final class RawPeer: Sendable {
    /// One accepted connection, on a thread that may block.
    struct Connection {
        let descriptor: Int32
        let number: Int

        /// The next request's head and, by Content-Length, its body; nil when the client has closed.
        func readRequest() -> String? {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                if let text = Self.complete(bytes) { return text }
                let count = recv(descriptor, &chunk, chunk.count, 0)
                if count <= 0 { return nil }
                bytes += chunk[..<count]
            }
        }

        private static func complete(_ bytes: [UInt8]) -> String? {
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.utf8.indices.first(where: { text[$0...].utf8.starts(with: "\r\n\r\n".utf8) }) else { return nil }
            let head = text[..<end].split(separator: "\r\n")
            let length = head.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.drop { $0 != " " }.dropFirst()) }
            return text.utf8.count - head.joined(separator: "\r\n").utf8.count - 4 >= length ?? 0 ? text : nil
        }

        func send(_ text: String) {
            let bytes = Array(text.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return }
                sent += count
            }
        }

        /// Blocks until the client closes.
        func waitForEnd() {
            var byte: UInt8 = 0
            while recv(descriptor, &byte, 1, 0) > 0 {}
        }
    }

    let port: Int
    private let listener: Int32
    private let accepted = Counter()
    private let closed = Counter()

    var connections: Int { accepted.value }
    /// How many connections are closed; the client's kernel knows of it then.
    var closedConnections: Int { closed.value }
    var root: String { "http://127.0.0.1:\(port)" }

    /// Runs `script` for each connection and closes it then.
    init(_ script: @escaping @Sendable (Connection) -> Void) {
        (listener, port) = Self.listen(backlog: 64)
        let (listener, accepted, closed) = (listener, accepted, closed)
        OSThread.start(name: "raw-peer") {
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor < 0 { return }
                let number = accepted.add()
                OSThread.start(name: "raw-conn") {
                    script(Connection(descriptor: descriptor, number: number))
                    close(descriptor)
                    closed.add()
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    static func listen(backlog: Int32) -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(descriptor, $0, length) == 0 && Glibc.listen(descriptor, backlog) == 0)
                getsockname(descriptor, $0, &length)
            }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Connects without waiting for the answer.
    static func knock(_ port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return descriptor
    }
}
