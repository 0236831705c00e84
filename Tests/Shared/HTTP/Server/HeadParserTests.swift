import HTTP
import Testing

@testable import HTTPServer

/// The verdict on a head: what it is, or the status it is refused with.
private func verdict(_ text: String, cuts: [Int] = [], limits: Limits = Limits()) -> String {
    let bytes = Array(text.unicodeScalars.map { UInt8($0.value) })
    var parser = HeadParser(limits: limits)
    do throws(HTTPError) {
        for end in cuts + [bytes.count] {
            if let (head, used) = try parser.parse(bytes.span.extracting(0..<end)) {
                let fields = head.headers.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
                return "\(head.method) \(head.target) 1.\(head.minorVersion) \(head.framing) keep=\(head.keepAlive) "
                    + "expect=\(head.expectsContinue) used=\(used) \(fields)"
            }
        }
        return "more"
    } catch {
        return "\(error.status) \(error.reason)"
    }
}

/// The verdict whole, which must be the same for every place of one cut, and byte by byte.
private func settled(_ text: String, limits: Limits = Limits()) -> String {
    let whole = verdict(text, limits: limits)
    let count = text.unicodeScalars.count
    if count > 0 {
        for cut in 0..<count {
            let other = verdict(text, cuts: [cut], limits: limits)
            #expect(other == whole, "cut at \(cut): \(text.debugDescription)")
        }
        #expect(verdict(text, cuts: Array(0..<count), limits: limits) == whole, "byte by byte: \(text.debugDescription)")
    }
    return whole
}

private func get(_ fields: String, line: String = "GET / HTTP/1.1", host: String = "Host: a\r\n") -> String {
    "\(line)\r\n\(host)\(fields)\r\n"
}

private let goodHeads: [(String, String)] = [
    ("GET /a/b?c=d%20e HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a/b?c=d%20e 1.1 none keep=true expect=false used=38 Host=a"),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 none keep=true expect=false used=31 Host=a"),
    ("GET http://a/x HTTP/1.1\r\nhost: A\r\n\r\n", "GET /x 1.1 none keep=true expect=false used=36 host=A"),
    ("GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 none keep=true expect=false used=35 Host=a"),
    ("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?q 1.1 none keep=true expect=false used=36 Host=a"),
    ("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 none keep=false expect=false used=18 "),
    ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 1.0 none keep=false expect=false used=42 Connection=keep-alive"),
    (get("Connection: x , Close\r\n"), "GET / 1.1 none keep=false expect=false used=50 Host=a&Connection=x , Close"),
    (get("X:\t b c \t\r\nY:\r\n"), "GET / 1.1 none keep=true expect=false used=42 Host=a&X=b c&Y="),
    (
        get("Content-Length: 007\r\n", line: "PUT / HTTP/1.1"),
        "PUT / 1.1 length(7) keep=true expect=false used=48 Host=a&Content-Length=007"
    ),
    (
        get("Transfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n", line: "PUT / HTTP/1.1"),
        "PUT / 1.1 chunked keep=true expect=true used=77 Host=a&Transfer-Encoding=Chunked&Expect=100-Continue"
    ),
    (get("Expect: 100-continue\r\n"), "GET / 1.1 none keep=true expect=false used=49 Host=a&Expect=100-continue"),
    (get("", host: "Host: [::1]:8080\r\n"), "GET / 1.1 none keep=true expect=false used=36 Host=[::1]:8080"),
    ("GET / HTTP/1.1\r\nHost: a\r\n", "more"),
    ("", "more"),
]

private let badHeads: [(String, Int)] = [
    // Lines
    ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\nHost: a\n\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    ("\u{16}\u{3}\u{1}", 400), (get("X: a\0b\r\n"), 400), (get("X: a\u{7f}\r\n"), 400),
    // Method
    ("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501), ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501), ("G@T / HTTP/1.1\r\n", 400),
    (" / HTTP/1.1\r\n", 400), ("GET\t/ HTTP/1.1\r\n", 400), ("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n", 400), ("GET\r\n", 400),
    // Target
    (get("", line: "GET  HTTP/1.1"), 400), (get("", line: "GET /a b HTTP/1.1"), 400), (get("", line: "GET /a#b HTTP/1.1"), 400),
    (get("", line: "GET /a\\b HTTP/1.1"), 400), (get("", line: "GET /{a} HTTP/1.1"), 400),
    (get("", line: "GET /\u{e9} HTTP/1.1"), 400),
    (get("", line: "GET /% HTTP/1.1"), 400), (get("", line: "GET /%1 HTTP/1.1"), 400), (get("", line: "GET /%zz HTTP/1.1"), 400),
    (get("", line: "GET a HTTP/1.1"), 400), (get("", line: "GET * HTTP/1.1"), 400), (get("", line: "GET ftp://a/ HTTP/1.1"), 400),
    (get("", line: "GET http:///a HTTP/1.1"), 400), (get("", line: "GET http://b/ HTTP/1.1"), 400),
    (get("", line: "GET http://ab/ HTTP/1.1"), 400),
    // Version
    ("GET /\r\n", 400), (get("", line: "GET / HTTP/1.1 "), 400), (get("", line: "GET / http/1.1"), 400),
    (get("", line: "GET / HTTP/11"), 400),
    (get("", line: "GET / HTTP/1.x"), 400), (get("", line: "GET / HTTP/2.0"), 505), (get("", line: "GET / HTTP/1.2"), 505),
    // Field lines
    (get("X : a\r\n"), 400), (get(": a\r\n"), 400), (get("X\r\n"), 400), (get("X: a\r\n b\r\n"), 400),
    (get(" X: a\r\n", host: ""), 400), (get("X\u{e9}: a\r\n"), 400),
    // Host
    (get("", host: ""), 400), (get("Host: a\r\n"), 400), (get("", host: "Host:\r\n"), 400), (get("", host: "Host: a/b\r\n"), 400),
    (get("", host: "Host: a:8a\r\n"), 400), (get("", host: "Host: a:123456\r\n"), 400), (get("", host: "Host: [::1\r\n"), 400),
    (get("", host: "Host: []\r\n"), 400), (get("", host: "Host: [::1]x\r\n"), 400), (get("", host: "Host: :80\r\n"), 400),
    (get("", host: "Host: a%2\r\n"), 400),
    (get("", host: "Host: a@b\r\n"), 400), (get("", host: "Host: a, b\r\n"), 400),
    // Framing
    (get("Content-Length: 5\r\nContent-Length: 5\r\n"), 400), (get("Content-Length: 5, 5\r\n"), 400),
    (get("Content-Length: +5\r\n"), 400),
    (get("Content-Length: -5\r\n"), 400), (get("Content-Length: 0x5\r\n"), 400), (get("Content-Length: 5 6\r\n"), 400),
    (get("Content-Length:\r\n"), 400),
    (get("Content-Length: 18446744073709551621\r\n"), 400), (get("Content-Length: 999999999999999999\r\n"), 413),
    (get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400),
    (get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
    (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400), (get("Transfer-Encoding: gzip, chunked\r\n"), 501),
    (get("Transfer-Encoding: identity\r\n"), 501), (get("Transfer-Encoding: \u{b}chunked\r\n"), 400),
    (get("Transfer-Encoding: xchunked\r\n"), 501),
    (get("Transfer-Encoding: chunked\r\n", line: "GET / HTTP/1.0"), 400),
    // Others
    (get("Connection: a b\r\n"), 400), (get("Expect: later\r\n"), 417),
]

@Suite("A request's head")
struct HeadParserTests {
    @Test("is read as it is written", arguments: goodHeads)
    func good(_ text: String, _ expected: String) { #expect(settled(text) == expected) }

    @Test("is refused where two readers could differ", arguments: badHeads)
    func bad(_ text: String, _ status: Int) {
        let found = settled(text)
        #expect(found.hasPrefix("\(status) "), "\(text.debugDescription) → \(found)")
    }

    @Test("is bounded in its line, its bytes and its fields, whatever else is wrong with it")
    func bounds() {
        var limits = Limits()
        limits.requestLine = 20
        limits.headBytes = 60
        limits.headerCount = 3
        #expect(settled(get("X: 1\r\nY: 2\r\n"), limits: limits).hasPrefix("GET "))
        #expect(settled(get("X: 1\r\nY: 2\r\nZ: 3\r\n"), limits: limits) == "431 too many fields")
        #expect(settled("GET /aaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == "414 request line too long")
        #expect(settled("GET /\"aaaaaaaaaaaaaaa\n", limits: limits) == "414 request line too long")
        #expect(settled("GET /aaaaaaaaaaaaaaaaaaaa", limits: limits) == "414 request line too long")
        #expect(settled(get("X: \(String(repeating: "a", count: 60))\r\n"), limits: limits) == "431 head too long")
        #expect(settled(get("X: \(String(repeating: "a", count: 60))"), limits: limits) == "431 head too long")
        #expect(settled(get("X: \(String(repeating: "a", count: 60))\n"), limits: limits) == "431 head too long")
    }

    @Test("may be followed by anything, which is left alone")
    func followed() {
        let bytes = Array("GET / HTTP/1.0\r\n\r\nrest".utf8)
        var parser = HeadParser(limits: Limits())
        #expect(throws: Never.self) {
            let found = try parser.parse(bytes.span)
            #expect(found?.used == 18)
        }
    }
}
