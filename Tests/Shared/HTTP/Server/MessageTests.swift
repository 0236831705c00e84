import HTTP
import Testing

@Suite("Messages")
struct MessageTests {
    @Test("Headers are found without regard to case, in order")
    func headers() {
        var headers: Headers = ["Set-Cookie": "a", "Content-Type": "text/plain", "set-cookie": "b"]
        #expect(headers["SET-COOKIE"] == "a")
        #expect(headers.all("Set-cookie") == ["a", "b"])
        #expect(headers["Content"] == nil)
        headers.set("content-type", "x")
        #expect(headers.map(\.name) == ["Set-Cookie", "set-cookie", "content-type"])
        headers.remove("Set-Cookie")
        #expect(headers == ["content-type": "x"])
        #expect(headers.count == 1)
    }

    @Test("Path and query are told apart at the first question mark, not decoded")
    func target() {
        let request = Request(target: "/a%2Fb?c=d?e")
        #expect(request.path == "/a%2Fb")
        #expect(request.query == "c=d?e")
        #expect(Request(target: "/a").query == nil)
        #expect(Request(target: "/a?").query == "")
    }

    @Test("A body is collected up to its limit and not beyond")
    func collect() async throws {
        struct Source: BodySource {
            let feed: AsyncStream<[UInt8]>
            func next() async throws -> [UInt8]? {
                for await piece in feed { return piece }
                return nil
            }
        }
        func body() -> RequestBody {
            RequestBody(
                source: Source(
                    feed: AsyncStream { continuation in
                        for piece in [[1, 2], [3], [4, 5]] as [[UInt8]] { continuation.yield(piece) }
                        continuation.finish()
                    }))
        }
        #expect(try await body().collect(upTo: 5) == [1, 2, 3, 4, 5])
        await #expect(throws: HTTPError(413, "the body is longer than 4 bytes")) { try await body().collect(upTo: 4) }
        #expect(try await RequestBody([7]).collect(upTo: 1) == [7])
        await #expect(throws: HTTPError.self) { try await RequestBody([7, 8]).collect(upTo: 1) }
    }

    @Test("An event's data may have lines; its type and id cannot forge others")
    func events() {
        #expect(ServerSentEvent(data: "a").bytes == Array("data: a\n\n".utf8))
        #expect(
            ServerSentEvent(event: "x", id: "7", data: "a\nb\r\nc\rd").bytes
                == Array("event: x\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n".utf8))
        #expect(ServerSentEvent(event: "x\ndata: forged", id: "1\r\n\r\n", data: "").bytes == Array("event: x\nid: 1\ndata: \n\n".utf8))
    }

    @Test("A peer is written as in a log")
    func peer() {
        #expect(Peer(address: "192.0.2.7", port: 80).description == "192.0.2.7:80")
        #expect(Peer(address: "2001:db8::7", port: 80).description == "[2001:db8::7]:80")
        #expect(Peer(address: "unix").description == "unix")
    }
}
