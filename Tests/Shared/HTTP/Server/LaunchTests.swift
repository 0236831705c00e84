import HTTP
import Synchronization
import Testing
import Threads

@testable import HTTPServer

@Suite("Handlers that begin together", .timeLimit(.minutes(2)))
struct LaunchTests {
    private static let key = Key(slot: 1, generation: 2, exchange: 3)

    private static func count(_ mailbox: Mailbox) -> Int {
        var mail: [Mail] = []
        mailbox.take(into: &mail)
        return mail.count
    }

    @Test("One that is cancelled before it has begun is cancelled when it begins, and one that has begun at once")
    func cancelled() async {
        let early = HandlerTask()
        #expect(!early.isCancelled)
        early.cancel()
        #expect(early.isCancelled)
        let first = Task { while !Task.isCancelled { await Task.yield() } }
        early.began(first)
        await first.value

        let late = HandlerTask()
        let second = Task { while !Task.isCancelled { await Task.yield() } }
        late.began(second)
        #expect(!second.isCancelled)
        late.cancel()
        await second.value
    }

    @Test("Replies that come at once are sent together, those that come later each at once")
    func replies() throws {
        let mailbox = try Mailbox()
        let replies = LaunchReplies(mailbox: mailbox)
        replies.post(Self.key, .response(Response(text: "a"), nil, failure: nil))
        replies.post(Self.key, .response(Response(text: "b"), nil, failure: nil))
        #expect(Self.count(mailbox) == 0)
        replies.send(isLast: false)
        #expect(Self.count(mailbox) == 2)
        replies.post(Self.key, .response(Response(text: "c"), nil, failure: nil))
        #expect(Self.count(mailbox) == 0)
        replies.send(isLast: true)
        #expect(Self.count(mailbox) == 1)
        replies.post(Self.key, .response(Response(text: "d"), nil, failure: nil))
        #expect(Self.count(mailbox) == 1)
    }

    @Test("A stream that begins after the last sending holds back nothing of what comes after it")
    func lateStream() throws {
        let mailbox = try Mailbox()
        let replies = LaunchReplies(mailbox: mailbox)
        replies.send(isLast: true)
        replies.send(isLast: false)
        replies.post(Self.key, .response(Response(text: "a"), nil, failure: nil))
        #expect(Self.count(mailbox) == 1)
    }

    @Test("A plain reply comes although a stream of its group has begun late")
    func lateStreamByWire() async throws {
        let app: @Sendable (Probe) -> Handler = { probe in
            { request in
                switch request.path {
                case "/stream":
                    try await Task.sleep(for: .milliseconds(50))
                    return Response(
                        body: .stream { writer in
                            try await writer.write("late")
                            probe.openGate()
                        })
                default:
                    await probe.passGate()
                    return Response(text: "plain")
                }
            }
        }
        try await withServer(handler: app) { test in
            // Sent in turns and several times, so that a round surely takes a stream and a plain request together.
            let wires = try (0..<8).map { _ in try test.wire() }
            for (index, wire) in wires.enumerated() {
                wire.send("GET \(index % 2 == 0 ? "/stream" : "/plain") HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            for (index, wire) in wires.enumerated() { #expect(try wire.reply().status == 200, "request \(index)") }
            #expect(test.eventually { $0.openHandlers == 0 })
        }
    }

    @Test("Of many requests that come at once, those that wait hold up none of those that do not")
    func mixed() async throws {
        try await withServer { test in
            let count = 40
            let wires = try (0..<count).map { _ in try test.wire() }
            for (index, wire) in wires.enumerated() { wire.send("GET \(index % 2 == 0 ? "/wait" : "/hello") HTTP/1.1\r\nHost: a\r\n\r\n") }
            for (index, wire) in wires.enumerated() where index % 2 == 1 { #expect(try wire.reply().status == 200, "request \(index)") }
            for (index, wire) in wires.enumerated() where index % 2 == 0 { wire.hangUp(reset: index % 4 == 0) }
            for _ in 0..<count / 2 { try #require(test.probe.cancelled.isSignalled()) }
            #expect(test.eventually { $0.openHandlers == 0 && $0.openConnections == count / 2 })
        }
    }
}
