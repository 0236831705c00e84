import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite("Stopping", .timeLimit(.minutes(2)))
struct StoppingTests {
    @Test("lets requests in hand finish, says so to the client, and takes no new connections")
    func graceful() async throws {
        let probe = Probe()
        let server = try Server(.ipv4("127.0.0.1", port: 0), handler: testApp(probe))
        let wire = try await OSThread.run(name: "client") {
            let wire = try Wire(port: server.port)
            wire.get("/gate")
            #expect(probe.started.isSignalled())
            return wire
        }
        async let stopped: Void = server.stop(grace: .seconds(20))
        try await OSThread.run(name: "client") {
            let end = ContinuousClock.now.advanced(by: .seconds(10))
            var isClosed = false
            while !isClosed, ContinuousClock.now < end {
                do { isClosed = try Wire(port: server.port).rest().end != .open } catch { isClosed = true }
            }
            #expect(isClosed, "a new connection was taken")
            probe.openGate()
            let reply = try wire.reply()
            #expect(reply.body == "through" && reply.field("Connection") == "close")
            #expect(wire.rest().end == .closed)
        }
        await stopped
        #expect(server.counters.openConnections == 0)
        await server.stop(grace: .zero)
    }

    @Test("cancels what is left when its grace ends")
    func graceEnds() async throws {
        let probe = Probe()
        let server = try Server(.ipv4("127.0.0.1", port: 0), handler: testApp(probe))
        let wires = try await OSThread.run(name: "client") {
            try ["/wait", "/quiet", "/hello"].map { target in
                let wire = try Wire(port: server.port)
                wire.get(target)
                if target == "/hello" { #expect(try wire.reply().status == 200) } else { #expect(probe.started.isSignalled()) }
                return wire
            }
        }
        let before = ContinuousClock.now
        await server.stop(grace: .milliseconds(100))
        #expect(ContinuousClock.now - before < .seconds(3))
        #expect(server.counters.openConnections == 0 && server.counters.openHandlers == 0)
        #expect(probe.cancelledAt.withLock { $0.count } == 2)
        withExtendedLifetime(wires) {}
    }
}
