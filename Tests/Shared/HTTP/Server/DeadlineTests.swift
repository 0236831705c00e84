import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("Deadlines", .timeLimit(.minutes(2)))
struct DeadlineTests {
    private let short = Options.with {
        $0.headTimeout = .milliseconds(200)
        $0.idleTimeout = .milliseconds(300)
        $0.rateWindow = .milliseconds(300)
        $0.minimumBytes = 1_000
    }

    /// Handlers have little time. On a busy machine an answer that is ready at once may need more: only for those that
    /// answer late on purpose.
    private let impatient = Options.with { $0.handlerTimeout = .milliseconds(400) }

    /// Sends a byte every 20 ms until the server has had enough, so that only a deadline of the whole can end it.
    private func trickle(_ wire: Wire) -> (text: String, end: Wire.End) {
        wire.wait(seconds: 0.02)
        for _ in 0..<250 {
            wire.send("a")
            let (text, end) = wire.rest()
            if end != .open || !text.isEmpty {
                wire.wait(seconds: 2)
                return wire.rest()
            }
        }
        return wire.rest()
    }

    @Test("A head that comes too slowly, or not at all, is answered 408 or closed")
    func head() async throws {
        try await withServer(short) { test in
            let silent = try test.wire()
            let silence = silent.rest()
            #expect(silence.text.isEmpty && silence.end == .closed)
            let half = try test.wire()
            half.send("GET / HTTP/1.1\r\nX: ")
            #expect(half.rest().text.hasPrefix("HTTP/1.1 408 "))
            let slow = try test.wire()
            slow.send("GET / HTTP/1.1\r\nX: ")
            #expect(trickle(slow).text.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("A body that trickles, or stops, is answered 408 and its handler told")
    func body() async throws {
        try await withServer(short) { test in
            let quiet = try test.wire()
            quiet.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
            #expect(quiet.rest().text.hasPrefix("HTTP/1.1 408 "))
            #expect(test.probe.cancelled.isSignalled())
            let slow = try test.wire()
            slow.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
            #expect(trickle(slow).text.hasPrefix("HTTP/1.1 408 "))
            #expect(test.probe.cancelled.isSignalled())
        }
    }

    @Test("A connection without a request is closed after a while")
    func idle() async throws {
        try await withServer(short) { test in
            let wire = try test.wire()
            wire.get("/hello")
            #expect(try wire.reply().status == 200)
            let (text, end) = wire.rest()
            #expect(text.isEmpty && end == .closed)
        }
    }

    @Test("A reply that nobody reads is cut off and its handler told")
    func unread() async throws {
        try await withServer(short) { test in
            let wire = try test.wire()
            wire.get("/endless")
            #expect(test.probe.started.isSignalled())
            #expect(test.probe.cancelled.isSignalled())
            #expect(test.eventually { $0.repliesUnread == 1 && $0.openConnections == 0 })
            #expect(wire.rest().end == .reset)
        }
    }

    @Test("A handler that takes too long is answered for with 503 and cancelled")
    func handler() async throws {
        try await withServer(impatient) { test in
            let wire = try test.wire()
            wire.get("/wait")
            let reply = try wire.reply()
            #expect(reply.status == 503 && reply.field("Connection") == "close" && reply.field("Retry-After") == "1")
            #expect(wire.rest().end == .closed)
            #expect(test.probe.cancelled.isSignalled())
            #expect(test.probe.recorded.isSignalled())
            #expect(test.probe.records.withLock { $0.map(\.reason) } == ["no answer in time"])
            #expect(test.server.counters.handlersTooSlow == 1)
            // One that does not read its body takes too long too.
            let upload = try test.wire()
            upload.send("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
            upload.wait(seconds: 2)
            upload.send([UInt8](repeating: 1, count: 900_000))
            #expect(upload.rest().text.hasPrefix("HTTP/1.1 503 "))
            #expect(test.probe.cancelled.isSignalled())
        }
    }

    @Test("A stream may last as long as it likes, and so may a handler where there is no deadline")
    func patience() async throws {
        var patient = short
        // Enough for the stream's head, and less than what the stream then lasts.
        patient.handlerTimeout = .seconds(2)
        try await withServer(patient) { test in
            let wire = try test.wire()
            wire.get("/quiet")
            _ = try wire.take(until: ": hi\n\n")
            wire.wait(seconds: 3)
            #expect(wire.rest().end == .open)
            #expect(!test.probe.cancelled.isSignalled(within: 0))
        }
        patient.handlerTimeout = nil
        try await withServer(patient) { test in
            let wire = try test.wire()
            wire.get("/gate")
            wire.wait(seconds: 1)
            #expect(wire.rest().text.isEmpty)
            test.probe.openGate()
            #expect(try wire.reply().body == "through")
        }
    }
    @Test("A request that may take longer than usual gets that time, and the others do not")
    func patienceForSome() async throws {
        var options = impatient
        options.handlerPatience = { method, target in method == "GET" && target == "/gate" ? .seconds(60) : nil }
        try await withServer(options) { test in
            let patient = try test.wire()
            patient.get("/gate")
            let other = try test.wire()
            other.send("POST /gate HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            #expect(other.rest().text.hasPrefix("HTTP/1.1 503 "))
            #expect(patient.rest().text.isEmpty)
            test.probe.openGate()
            #expect(try patient.reply().body == "through")
        }
    }
}
