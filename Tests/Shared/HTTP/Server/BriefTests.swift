import Dispatch
import Foundation
import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("Brief handlers", .timeLimit(.minutes(2)))
struct BriefTests {
    private static let options = Options.with { $0.isBrief = { _, target in target.hasPrefix("/brief") } }

    /// The name of the thread that this runs on.
    private static func thread() -> String {
        let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        return (name ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Answers with the threads before and after a wait that another thread ends.
    private static func app(_ probe: Probe) -> Handler {
        { request in
            let body = try await request.body.collect(upTo: 1 << 20)
            let before = thread()
            if request.path.hasSuffix("gate") {
                probe.started.signal()
                await probe.passGate()
            } else if request.path.hasSuffix("sleep") {
                probe.started.signal()
                do { try await Task.sleep(for: .seconds(3600)) } catch {
                    probe.noteCancelled()
                    throw error
                }
            } else {
                await withCheckedContinuation { continuation in OSThread.start(name: "waker") { continuation.resume() } }
            }
            return Response(text: "\(before) \(thread()) \(body.count)")
        }
    }

    @Test("run on the thread of their connection before and after they wait; others, and large ones, on the pool")
    func threads() async throws {
        try await withServer(Self.options, handler: Self.app) { test in
            let wire = try test.wire()
            for _ in 0..<20 {
                wire.get("/brief")
                #expect(try wire.reply().body == "http http 0")
            }
            wire.send("POST /brief HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            #expect(try wire.reply().body == "http http 3")
            wire.get("/long")
            #expect(try wire.reply().body.contains("http") == false)
            wire.send("POST /brief HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + String(repeating: "a", count: 20_000))
            let large = try wire.reply().body
            #expect(!large.contains("http") && large.hasSuffix(" 20000"))
            #expect(test.eventually { $0.openHandlers == 0 })
        }
    }

    @Test("hold up nobody while they wait, and are left to the pool while many are under way")
    func waiting() async throws {
        try await withServer(Self.options, handler: Self.app) { test in
            let waiting = try (0..<10).map { _ in
                let wire = try test.wire()
                wire.get("/brief/gate")
                #expect(test.probe.started.isSignalled())
                return wire
            }
            let other = try test.wire()
            other.get("/brief")
            #expect(try other.reply().body.contains("http") == false)
            test.probe.openGate()
            for (number, wire) in waiting.enumerated() {
                let body = try wire.reply().body
                #expect(number < 4 ? body == "http http 0" : !body.contains("http"), "the \(number + 1)th: \(body)")
            }
        }
    }

    @Test("are cancelled when their client goes, and their replies come in the order of pipelined requests")
    func cancelled() async throws {
        try await withServer(Self.options, handler: Self.app) { test in
            for reset in [true, false] {
                let wire = try test.wire()
                wire.get("/brief/sleep")
                #expect(test.probe.started.isSignalled())
                wire.hangUp(reset: reset)
                #expect(test.probe.cancelled.isSignalled())
            }
            #expect(test.eventually { $0.openHandlers == 0 })
            let wire = try test.wire()
            let request = "GET /brief HTTP/1.1\r\nHost: a\r\n\r\n"
            wire.send(request + "GET /long HTTP/1.1\r\nHost: a\r\n\r\n" + request)
            let bodies = try (0..<3).map { _ in try wire.reply().body }
            #expect(bodies[0] == "http http 0" && !bodies[1].contains("http") && bodies[2] == "http http 0", "\(bodies)")
        }
    }

    @Test("One that outlives its server comes to its end all the same")
    func outlives() async throws {
        let probe = Probe()
        let ended = DispatchSemaphore(value: 0)
        let app = Self.app(probe)
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: Self.options) { request in
            defer { ended.signal() }
            return try await app(request)
        }
        let wire = try await OSThread.run(name: "client") {
            let wire = try Wire(port: server.port)
            wire.get("/brief/gate")
            #expect(probe.started.isSignalled())
            return wire
        }
        await server.stop(grace: .zero)
        probe.openGate()
        try await OSThread.run(name: "client") { #expect(ended.isSignalled()) }
        withExtendedLifetime(wire) {}
    }
}
