import Dispatch
import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

/// What handlers tell the test, and the test tells them.
final class Probe: Sendable {
    /// Signalled when a handler has begun to wait, and when one was cancelled.
    let started = DispatchSemaphore(value: 0)
    let cancelled = DispatchSemaphore(value: 0)
    let cancelledAt = Lock<[ContinuousClock.Instant]>([])
    let records = Lock<[ExchangeRecord]>([])
    let recorded = DispatchSemaphore(value: 0)
    private let gate = Lock<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func noteCancelled() {
        cancelledAt.withLock { $0.append(.now) }
        cancelled.signal()
    }

    func note(_ record: ExchangeRecord) {
        records.withLock { $0.append(record) }
        recorded.signal()
    }

    /// Lets on all who wait at the gate, now and later.
    func openGate() {
        let waiting = gate.withLock { gate in
            gate.isOpen = true
            defer { gate.waiting = [] }
            return gate.waiting
        }
        for one in waiting { one.resume() }
    }

    /// Waits for the gate, cancelled or not.
    func passGate() async {
        await withCheckedContinuation { continuation in
            let isOpen = gate.withLock { gate in
                if !gate.isOpen { gate.waiting.append(continuation) }
                return gate.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

extension DispatchSemaphore {
    /// Whether it was signalled in time. For threads that may wait.
    func isSignalled(within seconds: Double = 10) -> Bool { wait(timeout: .now() + seconds) == .success }
}

/// A handler for every way to answer.
func testApp(_ probe: Probe) -> Handler {
    { request in
        switch request.path {
        case "/hello": return Response(text: "Hello, world!")
        case "/echo": return Response(body: .bytes(try await request.body.collect(upTo: 1 << 20)))
        case "/whoami": return Response(text: request.peer?.description ?? "nobody")
        case "/empty": return Response(status: 204)
        case "/error": throw HTTPError(418, "short and stout")
        case "/crash": throw Wire.Failure(description: "a secret")
        case "/split": return Response(headers: ["X": "a\r\nY: b"], body: .bytes([1]))
        case "/gate":
            probe.started.signal()
            await probe.passGate()
            return Response(text: "through")
        case "/wait":
            probe.started.signal()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                probe.noteCancelled()
                throw error
            }
            return Response()
        case "/quiet":
            return Response(
                headers: ServerSentEvent.replyHeaders,
                body: .stream { writer in
                    try await writer.write(": hi\n\n")
                    probe.started.signal()
                    do {
                        try await Task.sleep(for: .seconds(3600))
                    } catch {
                        probe.noteCancelled()
                        throw error
                    }
                })
        case "/events":
            let count = Int(request.query ?? "") ?? 5
            return Response(
                events: AsyncStream { continuation in
                    for number in 0..<count { continuation.yield(ServerSentEvent(id: "\(number)", data: "event \(number)")) }
                    continuation.finish()
                })
        case "/endless":
            return Response(
                body: .stream { writer in
                    let piece = [UInt8](repeating: 120, count: 32 << 10)
                    do {
                        try await writer.write(piece)
                        probe.started.signal()
                        while true { try await writer.write(piece) }
                    } catch {
                        probe.noteCancelled()
                        throw error
                    }
                })
        case "/broken":
            return Response(
                body: .stream { writer in
                    try await writer.write("half")
                    throw Wire.Failure(description: "broken")
                })
        case "/upload":
            var total = 0
            probe.started.signal()
            do {
                for try await piece in request.body { total += piece.count }
            } catch {
                probe.noteCancelled()
                throw error
            }
            return Response(text: "\(total)")
        case "/slow-reader":
            probe.started.signal()
            await probe.passGate()
            var total = 0
            for try await piece in request.body { total += piece.count }
            return Response(text: "\(total)")
        default: throw HTTPError(404, "no such path")
        }
    }
}

/// A running server, seen from a thread that may wait.
struct TestServer: Sendable {
    let server: Server
    let probe: Probe

    func wire(from source: String = "127.0.0.1") throws -> Wire { try Wire(port: server.port, from: source) }

    /// Whether it comes true in time.
    func eventually(within seconds: Double = 10, _ condition: (Counters) -> Bool) -> Bool {
        let end = ContinuousClock.now.advanced(by: .seconds(seconds))
        while !condition(server.counters) {
            if ContinuousClock.now > end { return false }
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + 0.002)
        }
        return true
    }
}

/// Runs `body` on a thread of its own beside a server, which is then stopped. Afterwards nothing may be left of it.
func withServer(
    _ options: Options = Options(), at address: Address = .ipv4("127.0.0.1", port: 0), handler: (@Sendable (Probe) -> Handler)? = nil,
    _ body: @escaping @Sendable (TestServer) throws -> Void
) async throws {
    let probe = Probe()
    var options = options
    options.onExchange = { probe.note($0) }
    let server = try Server(address, options: options, handler: (handler ?? testApp)(probe))
    let outcome: Result<Void, any Error>
    do {
        try await OSThread.run(name: "client") { try body(TestServer(server: server, probe: probe)) }
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    probe.openGate()
    await server.stop(grace: .zero)
    #expect(server.counters.openConnections == 0)
    #expect(server.counters.openHandlers == 0)
    try outcome.get()
}

extension Options {
    /// The defaults, changed.
    static func with(_ change: (inout Options) -> Void) -> Options {
        var options = Options()
        change(&options)
        return options
    }
}
