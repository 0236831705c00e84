import Foundation
import HTTP
import HTTPServer
import Testing

@testable import HTTPClient

/// What only happens where there is a connection.
@Suite struct ConnectionTests {
    private func failure(_ client: any Transport, _ request: ClientRequest) async -> HTTPClientError? {
        do {
            let response = try await client.send(request)
            for try await _ in response.body {}
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }

    @Test func aRefusedConnectionIsNamedAndSafeToRepeat() async throws {
        let (descriptor, port) = RawPeer.listen(backlog: 1)
        close(descriptor)
        try await withCurl { client in
            let error = await failure(client, ClientRequest(url: "http://127.0.0.1:\(port)/secret?token=1"))
            guard case .connectFailed(let text) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains("127.0.0.1:\(port)") && !text.contains("secret") && !text.contains("token"))
            #expect(error?.isRetriable == true && error?.mayHaveReachedServer == false)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
    func whereStrangersURLsAreCalledThisMachineIsNobody(_ host: String) async throws {
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { _ in Response(status: 204) }
        let url = "http://\(host):\(server.port)/"
        try await withCurl(CurlOptions(refusesPrivateAddresses: true)) { client in
            let error = await failure(client, ClientRequest(url: url))
            guard case .connectFailed = error else {
                Issue.record("\(host): \(String(describing: error))")
                return
            }
            #expect(error?.mayHaveReachedServer == false)
        }
        if host == "127.0.0.1" { try await withCurl { client in #expect(await failure(client, ClientRequest(url: url)) == nil) } }
        await server.stop(grace: .zero)
    }

    @Test func aNameWithoutAddressIsNamed() async throws {
        // A label too long to be one fails without asking anybody.
        let host = String(repeating: "x", count: 64) + ".example"
        try await withCurl { client in
            let error = await failure(client, ClientRequest(url: "http://\(host)/", timeout: nil))
            guard case .resolveFailed(let text) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains(host) && error?.isRetriable == true && error?.mayHaveReachedServer == false)
        }
    }

    @Test func aMissingUnixSocketIsAFailureToConnect() async throws {
        try await withCurl(CurlOptions(unixSockets: ["service": "/nonexistent/socket"])) { client in
            let error = await failure(client, ClientRequest(url: "http://service/"))
            guard case .connectFailed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func aConnectionThatIsNeverAcceptedTimesOut() async throws {
        let (descriptor, port) = RawPeer.listen(backlog: 0)
        // They fill the queue, so that the kernel answers no further knock.
        let knocks = (0..<4).map { _ in RawPeer.knock(port) }
        defer { for socket in knocks + [descriptor] { close(socket) } }
        try await withCurl { client in
            let time = await elapsed {
                let request = ClientRequest(method: "POST", url: "http://127.0.0.1:\(port)", connectTimeout: .milliseconds(200))
                let error = await failure(client, request)
                #expect(error == .timedOut(.connect, server: "http://127.0.0.1:\(port)", sent: false))
                #expect(error?.mayHaveReachedServer == false)
            }
            #expect(time >= .milliseconds(195) && time < .seconds(3), "took \(time)")
        }
    }

    @Test func aServerThatGoesSilentTimesOutAfterItsBytes() async throws {
        let peer = RawPeer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            connection.waitForEnd()
        }
        try await withCurl { client in
            let response = try await client.send(
                ClientRequest(url: peer.root, timeout: nil, stallTimeout: .milliseconds(300)))
            var body = response.body.makeAsyncIterator()
            #expect(try await body.next() == Array("first".utf8))
            let error = await #expect(throws: HTTPClientError.self) { try await body.next() }
            #expect(error == .timedOut(.stall, server: peer.root, sent: true))
        }
    }

    @Test func aReaderThatTakesItsTimeIsNoStall() async throws {
        let total = 16 << 20
        let peer = RawPeer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = String(repeating: "x", count: 64 << 10)
            for _ in 0..<total >> 16 { connection.send(piece) }
            connection.waitForEnd()
        }
        try await withCurl { client in
            let request = ClientRequest(url: peer.root, timeout: nil, stallTimeout: .seconds(1), maximumBodyBytes: total)
            let response = try await client.send(request)
            try await Task.sleep(for: .milliseconds(1500))
            let count = try await response.body.collect(upTo: total).count
            #expect(count == total)
        }
    }

    @Test func aProducerThatTakesItsTimeIsNoStall() async throws {
        let handler: Handler = { request in Response(text: "\(try await request.body.collect(upTo: 100).count)") }
        let body = ClientBodyStream { write in
            try await write([1])
            try await Task.sleep(for: .milliseconds(1500))
            try await write([2])
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            try await withCurl { client in
                let response = try await client.send(
                    ClientRequest(
                        method: "PUT", url: "http://127.0.0.1:\(server.port)", body: .stream(body, length: 2), timeout: nil,
                        stallTimeout: .seconds(1)))
                #expect(response.status == 200)
            }
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), { _ in Response(text: "x") }) { server in
            try await withCurl { client in
                for _ in 0..<50 {
                    let response = try await client.send(ClientRequest(method: "POST", url: "http://127.0.0.1:\(server.port)"))
                    _ = try await response.body.collect(upTo: 10)
                }
                #expect(server.counters.connections == 1)
            }
        }
    }

    @Test func aKeptConnectionThatTheServerClosedHarmsNoRequest() async throws {
        let peer = RawPeer { connection in
            if connection.readRequest() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
        try await withCurl { client in
            for round in 1...48 {
                let response = try await client.send(ClientRequest(method: "POST", url: peer.root, body: .bytes([1])))
                #expect(try await response.body.collect(upTo: 2).count == 2)
                try await eventually { peer.closedConnections == round }
            }
        }
        #expect(peer.connections == 48)
    }

    /// A peer that answers once on each connection and hangs up at the next request, and what it was asked.
    private func fickle() -> (RawPeer, asked: Counter) {
        let asked = Counter()
        let peer = RawPeer { connection in
            guard connection.readRequest() != nil else { return }
            asked.add()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            if connection.readRequest() != nil { asked.add() }
        }
        return (peer, asked)
    }

    @Test(arguments: ["GET", "PUT", "DELETE"])
    func aRequestThatMayBeRepeatedSurvivesAConnectionThatDies(method: String) async throws {
        let (peer, asked) = fickle()
        try await withCurl { client in
            for _ in 0..<4 {
                let response = try await client.send(ClientRequest(method: method, url: peer.root))
                #expect(try await response.body.collect(upTo: 10) == Array("ok".utf8))
            }
        }
        #expect(asked.value == 7)
    }

    @Test(arguments: [ClientBody.empty, .bytes([1, 2, 3])])
    func aRequestThatMayNotBeRepeatedIsSentOnce(body: ClientBody) async throws {
        let (peer, asked) = fickle()
        try await withCurl { client in
            let request = ClientRequest(method: "POST", url: peer.root, body: body)
            #expect(await failure(client, request) == nil)
            let error = await failure(client, request)
            guard case .transport(_, let text, sent: true) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains(peer.root) && error?.mayHaveReachedServer == true && error?.isRetriable == true)
        }
        #expect(asked.value == 2)
    }

    @Test(arguments: ["POST", "PUT"])
    func aStreamedBodyNeverMeetsAConnectionThatDies(method: String) async throws {
        let (peer, asked) = fickle()
        for round in 1...20 {
            try await withCurl { client in
                #expect(await failure(client, ClientRequest(method: method, url: peer.root)) == nil)
                let body = ClientBody.stream(Pieces([[1], [2, 3]]), length: 3)
                #expect(await failure(client, ClientRequest(method: method, url: peer.root, body: body)) == nil)
            }
            #expect(asked.value == 2 * round && peer.connections == 2 * round)
        }
    }

    @Test func anIdempotencyKeyMakesAPostRepeatable() async throws {
        let (peer, asked) = fickle()
        try await withCurl { client in
            let request = ClientRequest(method: "POST", url: peer.root, headers: ["Idempotency-Key": "k"], body: .bytes([1, 2, 3]))
            #expect(await failure(client, request) == nil)
            #expect(await failure(client, request) == nil)
        }
        #expect(asked.value == 3)
    }

    @Test func aServerThatOnlyHangsUpIsAnErrorNotALoop() async throws {
        let peer = RawPeer { _ = $0.readRequest() }
        try await withCurl { client in
            let error = await failure(client, ClientRequest(url: peer.root))
            guard case .transport(_, _, sent: true) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(peer.connections == 1)
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early\r\n\r\n",
    ])
    func aBrokenAnswerIsAnError(answer: String) async throws {
        let peer = RawPeer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        }
        try await withCurl { client in
            let error = await failure(client, ClientRequest(url: peer.root, timeout: .seconds(5)))
            guard case .transport(_, let text, sent: true) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(!text.isEmpty)
        }
    }

    @Test func aHeadWithoutEndIsCutOff() async throws {
        let peer = RawPeer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            for number in 0..<10_000 { connection.send("X-\(number): " + String(repeating: "x", count: 200) + "\r\n") }
        }
        try await withCurl { client in
            let error = await failure(client, ClientRequest(url: peer.root, timeout: .seconds(5)))
            guard case .transport(_, _, sent: true) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func aServerThatAnswersAndResetsWhileWeSendNeverHoldsUsUp() async throws {
        let peer = RawPeer { connection in
            var bytes = [UInt8](repeating: 0, count: 1000)
            _ = recv(connection.descriptor, &bytes, bytes.count, 0)
            connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        }
        let answers = Counter()
        try await withCurl { client in
            for _ in 0..<20 {
                let request = ClientRequest(method: "PUT", url: peer.root, body: .bytes([UInt8](repeating: 1, count: 8 << 20)))
                do {
                    let response = try await client.send(request)
                    #expect(response.status == 413)
                    #expect(try await response.body.collect(upTo: 2).count == 2)
                    answers.add()
                } catch let error as HTTPClientError {
                    // The reset may overtake the answer.
                    guard case .transport(_, _, sent: true) = error else { throw error }
                }
            }
        }
        #expect(answers.value > 0)
    }

    @Test func interimAnswersAndTrailersAreNotTheAnswer() async throws {
        let peer = RawPeer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send("2\r\nab\r\n0\r\nX-Trailer: 1\r\n\r\n")
            connection.waitForEnd()
        }
        try await withCurl { client in
            let response = try await client.send(ClientRequest(url: peer.root))
            #expect(response.status == 200 && response.headers["Link"] == nil)
            #expect(try await response.body.collect(upTo: 2) == Array("ab".utf8))
        }
    }

    @Test func nothingIsAskedOfAProxyInTheEnvironment() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        setenv("ALL_PROXY", "http://127.0.0.1:1", 1)
        defer {
            unsetenv("http_proxy")
            unsetenv("ALL_PROXY")
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), { _ in Response(text: "x") }) { server in
            try await withCurl { client in
                let status = try await client.send(ClientRequest(url: "http://127.0.0.1:\(server.port)")).status
                #expect(status == 200)
            }
        }
    }

    @Test func whoWaitsForAConnectionHasLimitsOnTimeToo() async throws {
        let started = Gate(), goOn = Gate()
        let handler: Handler = { request in
            if request.path == "/slow" {
                started.open()
                await goOn.wait()
            }
            return Response(text: "x")
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            try await withCurl(CurlOptions(maximumConnectionsPerHost: 1)) { client in
                let root = "http://127.0.0.1:\(server.port)"
                async let slow = client.send(ClientRequest(url: root + "/slow"))
                await started.wait()
                let error = await failure(client, ClientRequest(url: root + "/fast", timeout: .milliseconds(200)))
                #expect(error == .timedOut(.whole, server: root, sent: false))
                async let fast = client.send(ClientRequest(url: root + "/fast"))
                goOn.open()
                _ = try await slow.body.collect(upTo: 1)
                let status = try await fast.status
                #expect(status == 200)
                #expect(server.counters.connections == 1)
            }
        }
    }

    @Test func aCancelledCallIsBackAtOnceAndTheConnectionGone() async throws {
        let started = Gate(), cancelled = Gate()
        let handler: Handler = { _ in
            started.open()
            try await waitForCancellation(cancelled)
            return Response()
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            try await withCurl { client in
                let call = Task { try await client.send(ClientRequest(url: "http://127.0.0.1:\(server.port)", timeout: nil)) }
                await started.wait()
                call.cancel()
                await #expect(throws: HTTPClientError.cancelled) { try await call.value }
                await cancelled.wait()
                try await eventually { server.counters.openConnections == 0 && server.counters.openHandlers == 0 }
            }
        }
    }

    @Test func twoThousandCancelsLeaveNothingBehind() async throws {
        let handler: Handler = { request in
            if request.path == "/wait" { try await waitForCancellation(Gate()) }
            return Response(text: "x")
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            try await withCurl { client in
                let root = "http://127.0.0.1:\(server.port)"
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<2_000 {
                        let call = Task { try await client.send(ClientRequest(url: root + "/wait", timeout: nil)) }
                        group.addTask {
                            for _ in 0..<number % 7 { await Task.yield() }
                            call.cancel()
                            await #expect(throws: HTTPClientError.cancelled) { try await call.value }
                        }
                    }
                }
                try await eventually { server.counters.openHandlers == 0 }
                for _ in 0..<100 {
                    let status = try await client.send(ClientRequest(url: root)).status
                    #expect(status == 200)
                }
                try await eventually { server.counters.openConnections <= 64 }
            }
            try await eventually { server.counters.openConnections == 0 }
        }
    }

    @Test func closingEndsWhatIsUnderWayAndAllThatComesLater() async throws {
        let started = Gate(), cancelled = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    started.open()
                    try await waitForCancellation(cancelled)
                })
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            let root = "http://127.0.0.1:\(server.port)"
            let client = try CurlTransport()
            let response = try await client.send(ClientRequest(url: root, timeout: nil))
            await started.wait()
            async let first: Void = client.close()
            async let second: Void = client.close()
            _ = await (first, second)
            await #expect(throws: HTTPClientError.closed) { for try await _ in response.body {} }
            await #expect(throws: HTTPClientError.closed) { try await client.send(ClientRequest(url: root)) }
            await client.close()
            await cancelled.wait()
            try await eventually { server.counters.openConnections == 0 }
        }
    }

    @Test func aForgottenTransportLivesAsLongAsItsBodies() async throws {
        let goOn = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    await goOn.wait()
                    try await writer.write("second")
                })
        }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), handler) { server in
            do {
                let body = try await CurlTransport().send(ClientRequest(url: "http://127.0.0.1:\(server.port)")).body
                goOn.open()
                #expect(try await body.collect(upTo: 100) == Array("firstsecond".utf8))
            }
            try await eventually { server.counters.openConnections == 0 }
        }
    }

    @Test func manyTransportsLeaveNoDescriptors() async throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        try await withServer(.ipv4("127.0.0.1", port: 0), .init(), { _ in Response(text: "x") }) { server in
            let before = try descriptors()
            for _ in 0..<200 {
                try await withCurl { client in
                    let response = try await client.send(ClientRequest(url: "http://127.0.0.1:\(server.port)"))
                    _ = try await response.body.collect(upTo: 10)
                }
            }
            // Tests beside this one hold some too.
            try await eventually { try descriptors() < before + 150 }
        }
    }
}
