/// Makes requests that are nearly right.
enum Mutator {
    /// Requests that every server accepts.
    static let seeds: [String] = [
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a/b?c=d%20e HTTP/1.1\r\nHost: localhost:80\r\nAccept: */*\r\nConnection: keep-alive\r\nX-Empty:\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: [::1]:8080\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b;c=\"d\"\r\nabc\r\n0a\r\n0123456789\r\n0\r\n"
            + "X-T: 1\r\nX-U: 2\r\n\r\nGET /next HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PUT http://localhost/hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\nTE: trailers\r\n\r\n",
        "DELETE /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        "GET http://a.example?q HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ]

    /// What has broken servers before.
    private static let pieces: [String] = [
        "\r\n", "\n", "\r", " ", "\t", ":", "\0", "Content-Length: 3\r\n", "Content-Length: 03\r\n", "Content-Length:",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "transfer-encoding:\tchunked \r\n",
        "Transfer-Encoding : chunked\r\n", "Host: b\r\n", "HTTP/1.1", "HTTP/1.0", "0\r\n\r\n", "\r\n\r\n", "chunked",
        "chunked, chunked", "ffffffffffffffff", "18446744073709551616", "+", "-", "0x", ";", "\u{0b}", ",", "_", "\u{7f}", "\"",
        "GET / HTTP/1.1\r\nHost: smuggled\r\n\r\n", " \r\n", "\r\n ", "%", "%zz", "#", "\\", "é", "@", "//", "Connection: close\r\n",
        "Upgrade: h2c\r\n", "Expect: 100-continue\r\n",
    ]

    /// A seed with one to four faults.
    static func request(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = Array(pick(seeds, &random).utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: if index < bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            case 1: if index < bytes.count { bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random) }
            case 2: if index < bytes.count { bytes.remove(at: index) }
            case 3, 4, 5: bytes.insert(contentsOf: Array(pick(pieces, &random).utf8), at: index)
            case 6:
                let end = min(bytes.count, index + Int.random(in: 0...20, using: &random))
                bytes.insert(contentsOf: Array(bytes[index..<end]), at: Int.random(in: 0...bytes.count, using: &random))
            default:
                let end = min(bytes.count, index + Int.random(in: 0...12, using: &random))
                bytes.removeSubrange(index..<end)
            }
        }
        return bytes
    }

    private static func pick(_ list: [String], _ random: inout some RandomNumberGenerator) -> String {
        list[Int.random(in: 0..<list.count, using: &random)]
    }
}
