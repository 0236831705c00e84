import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("Bounds", .timeLimit(.minutes(3)))
struct BoundsTests {
    @Test("One client cannot hold all connections; others still come in, and its own again when it lets one go")
    func connectionsPerPeer() async throws {
        try await withServer(.with { $0.maxConnectionsPerPeer = 3 }) { test in
            var held = try (0..<3).map { _ in try test.wire() }
            for wire in held {
                wire.get("/hello")
                #expect(try wire.reply().status == 200)
            }
            let refused = try test.wire().rest()
            #expect(refused.text.hasPrefix("HTTP/1.1 429 ") && refused.end == .closed)
            let other = try test.wire(from: "127.0.0.2")
            other.get("/hello")
            #expect(try other.reply().status == 200)
            #expect(test.server.counters.connectionsRefused == 1)
            held.removeLast().hangUp(reset: false)
            #expect(test.eventually { $0.openConnections == 3 })
            let again = try test.wire()
            again.get("/hello")
            #expect(try again.reply().status == 200)
        }
    }

    @Test("One client cannot hold all handlers, and a trusted proxy's clients are told apart")
    func requestsPerPeer() async throws {
        let options = try Options.with {
            $0.maxRequestsPerPeer = 2
            $0.maxConnectionsPerPeer = 2
        }.trusting(TrustedProxies(ranges: ["127.0.0.1"]))
        try await withServer(options) { test in
            let from = { (address: String) in "X-Forwarded-For: \(address)\r\n" }
            let waiting = try (0..<2).map { _ in
                let wire = try test.wire()
                wire.get("/gate", fields: from("192.0.2.1"))
                #expect(test.probe.started.isSignalled())
                return wire
            }
            let refused = try test.wire()
            refused.get("/gate", fields: from("192.0.2.1"))
            #expect(try refused.reply().status == 429)
            let other = try test.wire()
            other.get("/whoami", fields: from("192.0.2.2"))
            #expect(try other.reply().body == "192.0.2.2")
            test.probe.openGate()
            for wire in waiting { #expect(try wire.reply().body == "through") }
            let again = try test.wire()
            for _ in 0..<5 {
                again.get("/whoami", fields: from("192.0.2.1"))
                #expect(try again.reply().body == "192.0.2.1")
            }
        }
    }

    @Test("A proxy that is not trusted speaks for itself")
    func untrusted() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.get("/whoami", fields: "X-Forwarded-For: 192.0.2.1\r\n")
            #expect(try wire.reply().body.hasPrefix("127.0.0.1:"))
        }
    }

    @Test("Replies that nobody reads are bounded: while too much waits, new requests are answered 503")
    func queuedOutput() async throws {
        let app: @Sendable (Probe) -> Handler = { _ in
            { request in
                request.path == "/big" ? Response(body: .bytes([UInt8](repeating: 120, count: 32 << 20))) : Response(text: "small")
            }
        }
        try await withServer(.with { $0.maxQueuedOutput = 8 << 20 }, handler: app) { test in
            let deaf = try test.wire()
            deaf.get("/big")
            // What the kernel has taken of it is not ours any more; the rest stays until it is read.
            func status() throws -> Int {
                let wire = try test.wire()
                wire.get("/small")
                return try wire.reply().status
            }
            var statuses: [Int] = []
            while statuses.last != 503, statuses.count < 1_000 { statuses.append(try status()) }
            #expect(statuses.last == 503)
            deaf.hangUp(reset: true)
            statuses = []
            while statuses.last != 200, statuses.count < 1_000 { statuses.append(try status()) }
            #expect(statuses.last == 200)
        }
    }

    @Test("Handlers are bounded: one too many is answered 503")
    func handlers() async throws {
        try await withServer(.with { $0.maxHandlers = 2 }) { test in
            let waiting = try (0..<2).map { _ in
                let wire = try test.wire()
                wire.get("/gate")
                #expect(test.probe.started.isSignalled())
                return wire
            }
            let refused = try test.wire()
            refused.get("/hello")
            #expect(try refused.reply().status == 503)
            test.probe.openGate()
            for wire in waiting { #expect(try wire.reply().status == 200) }
        }
    }

    @Test("Connections are bounded: one too many waits until another goes")
    func connections() async throws {
        try await withServer(.with { $0.maxConnections = 2 }) { test in
            let first = try test.wire(), second = try test.wire()
            for wire in [first, second] {
                wire.get("/hello")
                #expect(try wire.reply().status == 200)
            }
            let third = try test.wire()
            third.get("/hello")
            third.wait(seconds: 0.3)
            #expect(third.rest().text.isEmpty)
            first.hangUp(reset: false)
            third.wait(seconds: 10)
            #expect(try third.reply().status == 200)
        }
    }

    @Test("A body longer than the limit is refused, be it announced or found out")
    func bodies() async throws {
        try await withServer(.with { $0.limits.body = 1_000 }) { test in
            let announced = try test.wire()
            announced.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
            #expect(try announced.reply().status == 413)
            let chunked = try test.wire()
            chunked.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3e6\r\n")
            #expect(try chunked.reply().status == 413)
            let exact = try test.wire()
            exact.post("/echo", String(repeating: "a", count: 1_000))
            #expect(try exact.reply().body.count == 1_000)
        }
    }

    @Test("A reader that does not read holds its sender back; then all of it arrives")
    func uploadBackPressure() async throws {
        let total = 48 << 20
        try await withServer(.with { $0.limits.body = total }) { test in
            let wire = try test.wire()
            wire.wait(seconds: 0.5)
            wire.send("POST /slow-reader HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
            #expect(test.probe.started.isSignalled())
            let piece = [UInt8](repeating: 7, count: 1 << 20)
            var sent = 0
            while sent < total {
                let count = wire.send(piece)
                sent += count
                if count < piece.count { break }
            }
            #expect(sent < total, "nothing held the sender back")
            #expect(test.server.counters.bytesReceived < 512 << 10, "the server took more than its reader had room for")
            test.probe.openGate()
            wire.wait(seconds: 10)
            while sent < total { sent += wire.send(Array(piece.prefix(total - sent))) }
            #expect(try wire.reply().body == "\(total)")
        }
    }

    @Test("A client that does not read holds its writer back")
    func downloadBackPressure() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.get("/endless")
            #expect(test.probe.started.isSignalled())
            // The kernel's buffers fill, and then nothing moves any more.
            var last = -1
            #expect(
                test.eventually { counters in
                    defer { last = counters.bytesSent }
                    return counters.bytesSent == last && last > 0 || counters.bytesSent > 64 << 20
                })
            #expect(test.server.counters.bytesSent < 32 << 20)
        }
    }

    @Test("A client that pipelines and never reads is not read on either")
    func pipelining() async throws {
        try await withServer { test in
            let wire = try test.wire()
            wire.wait(seconds: 0.5)
            let batch = String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 4_000)
            var sent = 0
            while sent < 64 << 20 {
                let count = wire.send(batch)
                sent += count
                if count < batch.utf8.count { break }
            }
            #expect(sent < 64 << 20, "nothing held the sender back")
            #expect(test.server.counters.openHandlers <= 1)
        }
    }
}

extension Options {
    fileprivate func trusting(_ proxies: TrustedProxies) -> Options {
        var options = self
        options.trustedProxies = proxies
        return options
    }
}
