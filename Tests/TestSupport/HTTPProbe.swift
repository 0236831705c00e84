import Foundation
import Glibc
import Threads

/// The smallest question by HTTP: which status does a URL answer with? Independent of our own client on purpose.
public enum HTTPProbe {
    /// The status of `GET url` on 127.0.0.1 or localhost; nil when nobody answers within `timeout`.
    /// - Parameter bearer: a token or API key to ask with.
    public static func status(of url: String, bearer: String? = nil, timeout: Duration = .seconds(2)) async -> Int? {
        guard let parts = URLComponents(string: url), let port = parts.port.flatMap({ UInt16(exactly: $0) }) else { return nil }
        let target =
            (parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath) + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
        let seconds = Int(max(1, timeout.components.seconds))
        return try? await OSThread.run(name: "http-probe") { ask(target, bearer, port: port, seconds: seconds) }
    }

    private static func ask(_ target: String, _ bearer: String?, port: UInt16, seconds: Int) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let proof = bearer.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        let question = Array("GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(proof)Connection: close\r\n\r\n".utf8)
        guard connected, send(descriptor, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &answer, answer.count, 0)
        guard count >= 12 else { return nil }
        return Int(String(decoding: answer[9..<12], as: UTF8.self))
    }
}
