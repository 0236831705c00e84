import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("A client that goes", .serialized, .timeLimit(.minutes(2)))
struct HangUpTests {
    enum Way: CaseIterable { case fin, reset, halfClose }

    static let cases: [(String, String)] = [
        ("a waiting handler", "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a quiet stream", "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a busy stream", "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("an upload", "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc"),
        ("an upload in chunks", "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
    ]

    @Test("is noticed at once, and its handler cancelled", arguments: cases, Way.allCases)
    func cancels(_ request: (name: String, text: String), _ way: Way) async throws {
        try await withServer { test in
            var delays: [Duration] = []
            for round in 0..<9 {
                let wire = try test.wire()
                wire.send(request.text)
                try #require(test.probe.started.isSignalled(), "round \(round)")
                let before = ContinuousClock.now
                switch way {
                case .fin: wire.hangUp(reset: false)
                case .reset: wire.hangUp(reset: true)
                case .halfClose: wire.halfClose()
                }
                try #require(test.probe.cancelled.isSignalled(), "\(request.name), round \(round): the handler was not cancelled")
                delays.append(try #require(test.probe.cancelledAt.withLock { $0.popLast() }) - before)
            }
            let median = delays.sorted()[delays.count / 2]
            #expect(median < .milliseconds(20), "\(request.name) \(way): \(delays)")
            #expect(test.eventually { $0.clientsGone == 9 && $0.openConnections == 0 && $0.openHandlers == 0 })
        }
    }

    @Test("behind pipelined bytes, or behind a body that nobody reads, is noticed within the read window")
    func hidden() async throws {
        let options = Options.with {
            $0.rateWindow = .milliseconds(500)
            $0.limits.body = 16 << 20
        }
        try await withServer(options) { test in
            // Less than the kernel's window, about all of it, and more.
            for kibibytes in [1, 63, 64, 65, 200] {
                let flood = try test.wire()
                flood.get("/quiet")
                #expect(test.probe.started.isSignalled())
                flood.wait(seconds: 1)
                flood.send([UInt8](repeating: 65, count: kibibytes << 10))
                flood.hangUp(reset: false)
                #expect(test.probe.cancelled.isSignalled(within: 5), "\(kibibytes) KiB")
            }
            let upload = try test.wire()
            upload.send("POST /slow-reader HTTP/1.1\r\nHost: a\r\nContent-Length: \(16 << 20)\r\n\r\n")
            upload.send([UInt8](repeating: 65, count: 300 << 10))
            #expect(test.probe.started.isSignalled())
            upload.hangUp(reset: false)
            test.probe.openGate()
            #expect(test.eventually { $0.openConnections == 0 && $0.openHandlers == 0 })
        }
    }

    @Test("after its last byte, while the reply is on its way, is no error of the handler's")
    func afterReply() async throws {
        try await withServer { test in
            for _ in 0..<50 {
                let wire = try test.wire()
                wire.get("/hello")
                wire.hangUp(reset: true)
            }
            #expect(test.eventually { $0.connections == 50 && $0.openConnections == 0 && $0.openHandlers == 0 })
        }
    }
}
