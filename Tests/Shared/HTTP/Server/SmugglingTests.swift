import HTTPServer
import Testing

private let smuggled = "GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n"
private let start = "POST /echo HTTP/1.1\r\nHost: a\r\n"

private let attempts: [(String, String)] = [
    ("CL.TE", start + "Content-Length: \(5 + smuggled.utf8.count)\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled),
    ("TE.CL", start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + smuggled),
    ("TE.TE, a coding that is none", start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + smuggled),
    ("two lengths", start + "Content-Length: 0\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n" + smuggled),
    ("a list of lengths", start + "Content-Length: 0, \(smuggled.utf8.count)\r\n\r\n" + smuggled),
    ("a name with a blank", start + "Content-Length : \(smuggled.utf8.count)\r\n\r\n" + smuggled),
    ("a name with a NUL", start + "Content-Length\0: \(smuggled.utf8.count)\r\n\r\n" + smuggled),
    ("a folded coding", start + "Content-Length: 3\r\nTransfer-Encoding:\r\n chunked\r\n\r\nabc" + smuggled),
    ("a coding with a vertical tab", start + "Transfer-Encoding: \u{b}chunked\r\nContent-Length: 3\r\n\r\nabc" + smuggled),
    ("an empty length", start + "Content-Length:\r\n\r\n" + smuggled),
    ("a length beyond 64 bits", start + "Content-Length: 18446744073709551616\r\n\r\n" + smuggled),
    ("a chunk beyond 64 bits", start + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + smuggled),
    ("a chunk with a bare LF", start + "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n" + smuggled),
    ("a chunk that is too long for its size", start + "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n" + smuggled),
    ("a chunk extension with a bare LF", start + "Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n" + smuggled),
    ("a coding in a trailer", start + "Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: x\r\n\r\n" + smuggled),
    ("chunks of HTTP/1.0", "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled),
    ("a bare CR as a line end", start + "X: a\rTransfer-Encoding: chunked\r\n\r\n" + smuggled),
    ("two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled),
    ("a Host that is not the target's", "GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled),
    ("a line without a colon", "GET /hello HTTP/1.1\r\nHost: a\r\ngarbage\r\n\r\n" + smuggled),
    ("an empty line before", "\r\n" + smuggled),
    ("TLS on a plain port", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}"),
]

@Suite("Smuggling", .timeLimit(.minutes(2)))
struct SmugglingTests {
    @Test("is answered once, with an error, and the connection closed")
    func refused() async throws {
        try await withServer { test in
            for (name, bytes) in attempts {
                let wire = try test.wire()
                wire.send(bytes)
                let (text, end) = wire.rest()
                #expect(text.components(of: "HTTP/1.1 ") == 1, "\(name): \(text)")
                #expect(text.hasPrefix("HTTP/1.1 4") || text.hasPrefix("HTTP/1.1 501"), "\(name): \(text)")
                #expect(text.contains("\r\nConnection: close\r\n"), "\(name)")
                #expect(end == .closed, "\(name): the answer must not be lost to a reset")
            }
        }
    }

    @Test("Nothing behind a last request is read")
    func lastRequest() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + smuggled)
            #expect(wire.rest().text.components(of: "HTTP/1.1 200") == 1)
            #expect(test.server.counters.requests == 1)
        }
    }
}

extension String {
    /// How often `part` occurs.
    func components(of part: String) -> Int {
        let text = Array(utf8), wanted = Array(part.utf8)
        return text.indices.filter { text[$0...].starts(with: wanted) }.count
    }
}
