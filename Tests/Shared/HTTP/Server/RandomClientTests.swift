import Dispatch
import Foundation
import HTTPServer
import Synchronization
import Testing
import Threads

/// A generator that gives the same clients for the same seed.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite("Random clients", .timeLimit(.minutes(5)))
struct RandomClientTests {
    private static let requests: [String] = [
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n", "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /events?50 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", "GET /crash HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000),
        "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\na\r\n", count: 500)
            + "0\r\n\r\n",
        "POST /wait HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n", "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nabc",
    ]

    /// Says something, cut off or garbled now and then; reads a little or nothing; goes in one of the ways to go.
    private static func visit(port: Int, _ dice: inout Dice) throws {
        let wire = try Wire(port: port, from: "127.0.0.\(Int.random(in: 2...60, using: &dice))")
        wire.wait(seconds: 0.003)
        var bytes: [UInt8] = []
        for _ in 0..<([1, 1, 1, 2, 5, 40].randomElement(using: &dice) ?? 1) {
            bytes += Array((requests.randomElement(using: &dice) ?? "").utf8)
        }
        if Int.random(in: 0..<10, using: &dice) < 3 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &dice)) }
        if Int.random(in: 0..<10, using: &dice) < 3, !bytes.isEmpty {
            for _ in 0..<3 { bytes[Int.random(in: 0..<min(bytes.count, 200), using: &dice)] = UInt8.random(in: 0...255, using: &dice) }
        }
        let cut = Int.random(in: 0...bytes.count, using: &dice)
        wire.send(Array(bytes[..<cut]))
        wire.send(Array(bytes[cut...]))
        if Bool.random(using: &dice) { _ = wire.take() }
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: wire.hangUp(reset: true)
        case 1: wire.hangUp(reset: false)
        case 2: wire.halfClose()
        default: break
        }
    }

    /// Connected sockets of the server, by the kernel's own list: those that a process still holds have an inode.
    private static func held(port: Int) throws -> Int {
        let wanted = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - wanted.count) + wanted
        // Read to its end: the file has no length, and comes in pieces.
        let list = try #require(try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/net/tcp")).readToEnd())
        return String(decoding: list, as: UTF8.self).split(separator: "\n").dropFirst().count { line in
            let words = line.split(separator: " ")
            return words.count > 9 && words[1].hasSuffix(suffix) && words[3] != "0A" && words[9] != "0"
        }
    }

    @Test("Ten thousand of them leave no socket, no handler and no count behind, and the server serves on")
    func tenThousand() async throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        let options = Options.with {
            $0.threads = 2
            $0.headTimeout = .milliseconds(300)
            $0.idleTimeout = .milliseconds(300)
            $0.rateWindow = .milliseconds(400)
            $0.handlerTimeout = .milliseconds(500)
        }
        try await withServer(options) { test in
            let port = test.server.port, visited = Atomic<Int>(0)
            let done = DispatchGroup()
            for thread in 0..<10 {
                done.enter()
                OSThread.start(name: "visitor") {
                    var dice = Dice(state: seed &+ UInt64(thread))
                    for _ in 0..<1_000 {
                        do {
                            try Self.visit(port: port, &dice)
                            visited.add(1, ordering: .relaxed)
                        } catch { Issue.record("seed \(seed): \(error)") }
                    }
                    done.leave()
                }
            }
            done.wait()
            #expect(visited.load(ordering: .relaxed) == 10_000)
            #expect(
                test.eventually { $0.openConnections == 0 && $0.openHandlers == 0 }, "seed \(seed): \(test.server.counters)")
            #expect(try Self.held(port: port) == 0, "seed \(seed)")
            let counters = test.server.counters
            #expect(counters.connections == 10_000, "seed \(seed)")
            #expect(counters.requests > 5_000 && counters.requestsRefused > 500 && counters.clientsGone > 500, "seed \(seed): \(counters)")
            let wire = try test.wire()
            wire.get("/hello")
            #expect(try wire.reply().body == "Hello, world!")
            #expect(try Self.held(port: port) == 1, "the kernel's list is read as it should be")
        }
    }
}
