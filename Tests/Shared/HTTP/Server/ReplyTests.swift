import HTTP
import Testing

@testable import HTTPServer

private func head(_ status: Int = 200, _ headers: Headers = Headers(), _ framing: ReplyHead.Framing = .none, close: Bool = false) -> String
{
    var out: [UInt8] = []
    do throws(HTTPError) {
        try ReplyHead.write(status: status, headers: headers, framing: framing, close: close, date: Array("now".utf8), into: &out)
        return String(decoding: out, as: UTF8.self)
    } catch {
        return "\(error)"
    }
}

@Suite("A reply's head")
struct ReplyTests {
    @Test("says how the body is delimited")
    func framing() {
        #expect(head(204) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n")
        #expect(head(200, ["A": "b"], .length(120)) == "HTTP/1.1 200 OK\r\nDate: now\r\nA: b\r\nContent-Length: 120\r\n\r\n")
        #expect(
            head(599, [:], .chunked, close: true) == "HTTP/1.1 599 \r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
    }

    @Test("cannot be made to split or re-frame the message")
    func splitting() {
        #expect(head(200, ["A": "b\r\nC: d"]).hasPrefix("500 "))
        #expect(head(200, ["A": "b\nC: d"]).hasPrefix("500 "))
        #expect(head(200, ["A\r\nB": "c"]).hasPrefix("500 "))
        #expect(head(200, ["A b": "c"]).hasPrefix("500 "))
        #expect(head(200, ["": "c"]).hasPrefix("500 "))
        for name in ["Content-Length", "transfer-encoding", "CONNECTION", "Date", "Upgrade", "Trailer", "Keep-Alive"] {
            #expect(head(200, [name: "1"]).hasPrefix("500 "), "\(name)")
        }
        for status in [0, 99, 100, 199, 600, -1] { #expect(head(status).hasPrefix("500 "), "\(status)") }
    }

    @Test("has the size of a chunk in hexadecimal", arguments: [(1, "1"), (15, "f"), (16, "10"), (65_536, "10000"), (255, "ff")])
    func chunkSize(_ size: Int, _ text: String) {
        var out: [UInt8] = []
        ReplyHead.chunkSize(size, &out)
        #expect(out == Array("\(text)\r\n".utf8))
    }

    @Test(
        "has a date by the calendar",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        ])
    func date(_ time: Int, _ text: String) { #expect(HTTPDate.text(time) == text) }

    @Test("carries the server's own errors as problem details that parse")
    func problem() {
        guard case .bytes(let body) = Problem.reply(400, "a \"b\\ \n").body else { return #expect(Bool(false)) }
        #expect(
            String(decoding: body, as: UTF8.self)
                == "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"a \\\"b\\\\  \"}\n")
    }
}
