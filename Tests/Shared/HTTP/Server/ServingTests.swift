import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("Serving", .timeLimit(.minutes(2)))
struct ServingTests {
    @Test("keeps a connection, and answers requests that come together in their order")
    func pipelining() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.get("/hello")
            let first = try wire.reply()
            #expect(first.status == 200)
            #expect(first.body == "Hello, world!")
            #expect(first.field("Connection") == nil)
            #expect(first.field("Date")?.hasSuffix(" GMT") == true)
            wire.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET /events?2 HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\nX: y\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            #expect(try wire.reply().body == "one")
            #expect(try wire.reply().body == "id: 0\ndata: event 0\n\nid: 1\ndata: event 1\n\n")
            #expect(try wire.reply().body == "two")
            #expect(try wire.reply().body == "Hello, world!")
        }
    }

    @Test("reads a request the same however it is cut")
    func cut() async throws {
        try await withServer { test in
            let request = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            let wire = try test.wire()
            for size in [1, 2, 3, 7, 30] {
                var rest = Substring(request)
                while !rest.isEmpty {
                    wire.send(String(rest.prefix(size)))
                    rest = rest.dropFirst(size)
                }
                #expect(try wire.reply().body == "abcde")
            }
        }
    }

    @Test("sends no body to HEAD, 204 and an old client's chunks")
    func bodiless() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /events HTTP/1.1\r\nHost: a\r\n\r\n")
            wire.get("/empty")
            wire.get("/hello")
            #expect(try wire.reply(toHead: true).field("Content-Length") == "13")
            #expect(try wire.reply(toHead: true).field("Transfer-Encoding") == "chunked")
            let empty = try wire.reply()
            #expect(empty.status == 204 && empty.field("Content-Length") == nil)
            #expect(try wire.reply().body == "Hello, world!")
            let old = try test.wire()
            old.send("GET /events?1 HTTP/1.0\r\n\r\n")
            let reply = try old.reply()
            #expect(reply.field("Transfer-Encoding") == nil && reply.field("Connection") == "close")
            #expect(reply.body == "id: 0\ndata: event 0\n\n")
        }
    }

    @Test("asks for the body only when the handler reads it")
    func expectContinue() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try wire.reply().status == 100)
            wire.send("abc")
            #expect(try wire.reply().body == "abc")
            // A handler that does not want it answers at once, and the connection ends: the body was never sent.
            wire.send("POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            let reply = try wire.reply()
            #expect(reply.status == 200 && reply.field("Connection") == "close")
            #expect(wire.rest().end == .closed)
        }
    }

    @Test("announces the close after a streamed answer to a request that has not come in")
    func streamedAnswerToAnUnreadBody() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.send("POST /events?2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc")
            let reply = try wire.reply()
            #expect(reply.status == 200 && reply.field("Connection") == "close")
            #expect(wire.rest().end == .closed)
            // One whose request is all there is an answer like any other.
            let whole = try test.wire()
            whole.get("/events?2")
            #expect(try whole.reply().field("Connection") == nil)
            whole.get("/hello")
            #expect(try whole.reply().status == 200)
        }
    }

    @Test("answers errors with problem details, without what a handler's failure says")
    func errors() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.get("/error")
            let thrown = try wire.reply()
            #expect(
                thrown.status == 418 && thrown.field("Content-Type") == "application/problem+json"
                    && thrown.body.contains("short and stout"))
            wire.get("/crash")
            let crashed = try wire.reply()
            #expect(crashed.status == 500 && !crashed.body.contains("secret"))
            wire.get("/hello")
            #expect(try wire.reply().status == 200, "a handler's error does not end the connection")
            wire.get("/split")
            let split = try wire.reply()
            #expect(split.status == 500 && split.field("Y") == nil && split.field("Connection") == "close")
            #expect(test.probe.recorded.isSignalled())
            #expect(test.eventually { _ in test.probe.records.withLock { $0.count } == 4 })
            #expect(test.probe.records.withLock { $0.map(\.reason) } == [nil, "handler: a secret", nil, "reply with a bad value of X"])
        }
    }

    @Test("shows a client that a stream was cut short")
    func broken() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.get("/broken")
            let (text, end) = wire.rest()
            #expect(!text.hasSuffix("0\r\n\r\n") && end == .reset)
        }
    }

    @Test("tells of each exchange what it was and what it cost")
    func records() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.post("/echo?x=1", "abcde")
            #expect(try wire.reply().body == "abcde")
            #expect(test.probe.recorded.isSignalled())
            let record = try #require(test.probe.records.withLock { $0.first })
            #expect(record.method == "POST" && record.target == "/echo?x=1" && record.status == 200 && record.reason == nil)
            #expect(record.bytesReceived == 5 && record.bytesSent == 5 && record.duration > .zero && record.duration < .seconds(10))
            #expect(record.peer?.address == "127.0.0.1" && (record.peer?.port ?? 0) > 0)
            wire.send("nonsense\r\n\r\n")
            #expect(try wire.reply().status == 400)
            #expect(test.probe.recorded.isSignalled())
            #expect(test.probe.records.withLock { $0.last?.reason } == "method")
            let counters = test.server.counters
            #expect(counters.requests == 1 && counters.requestsRefused == 1 && counters.connections == 1)
            #expect(counters.replies == [0, 0, 1, 0, 1, 0])
            #expect(counters.bytesReceived > 60)
            // Counted behind the call that sends, so the client may be first.
            #expect(test.eventually { $0.bytesSent > 200 })
        }
    }

    @Test("listens on IPv6 and on several loops at once")
    func addresses() async throws {
        try await withServer(.with { $0.threads = 3 }) { test in
            for _ in 0..<20 {
                let wire = try test.wire()
                wire.get("/hello")
                #expect(try wire.reply().status == 200)
            }
        }
        let server = try Server(.ipv6("::1", port: 0), handler: testApp(Probe()))
        #expect(server.port > 0)
        await server.stop(grace: .zero)
    }

    @Test("names what is wrong with an address")
    func badAddresses() async throws {
        let taken = try Server(.ipv4("127.0.0.1", port: 0), handler: testApp(Probe()))
        for (address, code) in [
            (.ipv4("127.0.0.1", port: taken.port), .addressInUse), (.ipv4("localhost", port: 0), .badAddress),
            (.ipv4("127.0.0.1", port: 70_000), .badAddress),
            (.ipv6("127.0.0.1", port: 0), .badAddress), (.unix("/nonexistent/folder/socket"), .badAddress),
            (.unix(String(repeating: "a", count: 200)), .badAddress),
        ] as [(Address, ServerError.Code)] {
            do {
                let server = try Server(address, handler: testApp(Probe()))
                await server.stop(grace: .zero)
                Issue.record("\(address) was opened")
            } catch {
                #expect(error.code == code, "\(error)")
                #expect(error.description.contains("\(address)"))
            }
        }
        await taken.stop(grace: .zero)
    }
}
