import HTTP
import HTTPClient
import Testing

/// What holds whatever lies between client and handler.
@Suite struct RoadTests {
    @Test(arguments: Road.allCases)
    func aRequestArrivesAsItWasMade(road: Road) async throws {
        let handler: Handler = { request in
            let body = try await request.body.collect(upTo: 100)
            let named = request.headers.map { "\($0.name.lowercased())=\($0.value)" }.sorted().joined(separator: "|")
            return Response(status: 207, headers: ["X-Seen": "\(request.method) \(request.target) \(named)"], body: .bytes(body))
        }
        try await road.lead(to: handler, options: CurlOptions(userAgent: nil)) { client, root in
            let host = root.dropFirst("http://".count)
            let request = ClientRequest(
                method: "POST", url: root + "/a/../b%2Fc?x=%20y&z#part", headers: ["X-One": "é", "X-Empty": "", "x-one": "2"],
                body: .bytes(Array("hello".utf8)))
            let response = try await client.send(request)
            #expect(response.status == 207)
            #expect(
                response.headers["x-seen"]
                    == "POST /a/../b%2Fc?x=%20y&z content-length=5|host=\(host)|x-empty=|x-one=2|x-one=é")
            #expect(response.headers["content-length"] == "5")
            #expect(try await response.body.collect(upTo: 5) == Array("hello".utf8))
        }
    }

    @Test(arguments: Road.allCases, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func everyMethodWorksWithoutABody(road: Road, method: String) async throws {
        let handler: Handler = { request in
            let body = try await request.body.collect(upTo: 1)
            return Response(text: "\(request.method) \(body.count)")
        }
        try await road.lead(to: handler) { client, root in
            for _ in 0..<3 {
                let response = try await client.send(ClientRequest(method: method, url: root))
                #expect(response.status == 200)
                let text = String(decoding: try await response.body.collect(upTo: 100), as: UTF8.self)
                #expect(text == (method == "HEAD" ? "" : "\(method) 0"))
                #expect(response.headers["content-length"] == String("\(method) 0".utf8.count))
            }
        }
    }

    @Test(arguments: Road.allCases)
    func everyStatusIsAnAnswerAndNoRedirectIsFollowed(road: Road) async throws {
        let handler: Handler = { request in
            Response(status: Int(request.path.dropFirst()) ?? 0, headers: ["Location": "/200"], body: .bytes([]))
        }
        try await road.lead(to: handler) { client, root in
            for status in [200, 204, 301, 302, 304, 307, 400, 401, 404, 409, 422, 429, 500, 503, 599] {
                let response = try await client.send(ClientRequest(url: "\(root)/\(status)"))
                #expect(response.status == status)
                #expect(try await response.body.collect(upTo: 0) == [])
            }
        }
    }

    @Test(arguments: Road.allCases)
    func whatAHandlerThrowsIsAStatus(road: Road) async throws {
        struct Secret: Error {}
        let handler: Handler = { request in
            if request.path == "/http" { throw HTTPError(422, "field \"x\" is\nbad") }
            throw Secret()
        }
        try await road.lead(to: handler) { client, root in
            let told = try await client.send(ClientRequest(url: root + "/http"))
            #expect(told.status == 422 && told.headers["content-type"] == "application/problem+json")
            let text = String(decoding: try await told.body.collect(upTo: 1000), as: UTF8.self)
            #expect(text.contains(#""detail":"field \"x\" is bad""#) && text.contains(#""status":422"#), "\(text)")
            let untold = try await client.send(ClientRequest(url: root))
            #expect(untold.status == 500)
            let hidden = String(decoding: try await untold.body.collect(upTo: 1000), as: UTF8.self)
            #expect(!hidden.contains("Secret"))
        }
    }

    @Test(arguments: Road.allCases, 0..<4)
    func bodiesOfAnySizeAndCutArriveWhole(road: Road, seed: UInt64) async throws {
        let echo: Handler = { request in
            let body = request.body
            return Response(
                body: .stream { writer in
                    for try await piece in body { try await writer.write(piece) }
                })
        }
        try await road.lead(to: echo) { client, root in
            var random = Seeded(seed)
            for round in 0..<12 {
                let size = [0, 1, 100, 16_384, 65_536, 300_000, 1_000_000].randomElement(using: &random)!
                let sent = random.bytes(size)
                var pieces: [[UInt8]] = []
                var rest = sent[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(Int.random(in: 0...100_000, using: &random))
                    pieces.append(Array(piece))
                    rest = rest.dropFirst(piece.count)
                }
                let body: ClientBody =
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: .bytes(sent)
                    case 1: .stream(Pieces(pieces))
                    default: .stream(Pieces(pieces), length: size)
                    }
                let response = try await client.send(ClientRequest(method: "PUT", url: root, body: body))
                let received = try await response.body.collect(upTo: size)
                #expect(received == sent, "seed \(seed), round \(round), \(size) bytes")
            }
        }
    }

    @Test(arguments: Road.allCases)
    func aSlowReaderHoldsTheServerBack(road: Road) async throws {
        let written = Counter()
        let total = 48 << 20
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    let piece = [UInt8](repeating: 7, count: 64 << 10)
                    for _ in 0..<total / piece.count {
                        try await writer.write(piece)
                        written.add(piece.count)
                    }
                })
        }
        try await road.lead(to: handler) { client, root in
            let response = try await client.send(ClientRequest(url: root, maximumBodyBytes: .max))
            let ahead = try await settled { written.value }
            #expect(ahead < 16 << 20, "the server wrote \(ahead) bytes that nobody read")
            var received = 0
            for try await chunk in response.body {
                #expect(chunk.count <= 1 << 20)
                received += chunk.count
            }
            #expect(received == total)
        }
    }

    @Test(arguments: Road.allCases)
    func aSlowServerHoldsTheProducerBack(road: Road) async throws {
        let goOn = Gate(), produced = Counter()
        let total = 48 << 20
        let handler: Handler = { request in
            await goOn.wait()
            var count = 0
            for try await piece in request.body { count += piece.count }
            return Response(text: "\(count)")
        }
        let body = ClientBodyStream { write in
            let piece = [UInt8](repeating: 7, count: 64 << 10)
            for _ in 0..<total / piece.count {
                try await write(piece)
                produced.add(piece.count)
            }
        }
        try await road.lead(to: handler) { client, root in
            async let answer = client.send(ClientRequest(method: "PUT", url: root, body: .stream(body, length: nil), timeout: nil))
            try await eventually { produced.value > 0 }
            let ahead = try await settled { produced.value }
            #expect(ahead < 16 << 20, "the producer made \(ahead) bytes that nobody took")
            goOn.open()
            let text = String(decoding: try await answer.body.collect(upTo: 100), as: UTF8.self)
            #expect(text == "\(total)")
        }
    }

    @Test(arguments: Road.allCases, [4, 6])
    func aBodyOfAnotherLengthThanStatedIsRefused(road: Road, length: Int) async throws {
        try await road.lead(to: { request in Response(text: "\(try await request.body.collect(upTo: 100).count)") }) { client, root in
            let request = ClientRequest(method: "PUT", url: root, body: .stream(Pieces([[1, 2], [3, 4, 5]]), length: length))
            let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
            guard case .invalidRequest = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let whole = ClientRequest(method: "PUT", url: root, body: .stream(Pieces([[1, 2], [3, 4, 5]]), length: 5))
            let status = try await client.send(whole).status
            #expect(status == 200)
        }
    }

    @Test(arguments: Road.allCases)
    func whatTheProducerThrowsIsThrown(road: Road) async throws {
        struct Broken: Error {}
        let body = ClientBodyStream { write in
            try await write([1, 2, 3])
            throw Broken()
        }
        try await road.lead(to: { request in Response(text: "\(try await request.body.collect(upTo: 100).count)") }) { client, root in
            await #expect(throws: Broken.self) {
                try await client.send(ClientRequest(method: "POST", url: root, body: .stream(body, length: nil)))
            }
        }
    }

    @Test(arguments: Road.allCases)
    func anAnswerThatNeverComesTimesOutAndCancelsItsHandler(road: Road) async throws {
        let cancelled = Gate()
        let handler: Handler = { _ in
            try await waitForCancellation(cancelled)
            return Response()
        }
        try await road.lead(to: handler) { client, root in
            let time = await elapsed {
                let error = await #expect(throws: HTTPClientError.self) {
                    try await client.send(ClientRequest(url: root, timeout: .milliseconds(200)))
                }
                #expect(error == .timedOut(.whole, server: root, sent: true))
                #expect(error?.isRetriable == true && error?.mayHaveReachedServer == true)
            }
            #expect(time >= .milliseconds(200) && time < .seconds(2), "took \(time)")
            await cancelled.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func aBodyThatNeverEndsTimesOutAfterItsBytes(road: Road) async throws {
        let cancelled = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    try await waitForCancellation(cancelled)
                })
        }
        try await road.lead(to: handler) { client, root in
            let response = try await client.send(ClientRequest(url: root, timeout: .seconds(2)))
            var body = response.body.makeAsyncIterator()
            #expect(try await body.next() == Array("first".utf8))
            let error = await #expect(throws: HTTPClientError.self) { try await body.next() }
            #expect(error == .timedOut(.whole, server: root, sent: true))
            await cancelled.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func cancellingTheCallerCancelsTheHandler(road: Road) async throws {
        let started = Gate(), cancelled = Gate()
        let handler: Handler = { _ in
            started.open()
            try await waitForCancellation(cancelled)
            return Response()
        }
        try await road.lead(to: handler) { client, root in
            let call = Task { try await client.send(ClientRequest(url: root)) }
            await started.wait()
            call.cancel()
            let time = await elapsed {
                await #expect(throws: HTTPClientError.cancelled) { try await call.value }
            }
            #expect(time < .milliseconds(500), "took \(time)")
            await cancelled.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func aCancelledCallerNeverStarts(road: Road) async throws {
        let calls = Counter()
        let handler: Handler = { _ in
            calls.add()
            return Response()
        }
        try await road.lead(to: handler) { client, root in
            let call = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.send(ClientRequest(url: root))
            }
            await #expect(throws: HTTPClientError.cancelled) { try await call.value }
            _ = try await client.send(ClientRequest(url: root))
            #expect(calls.value == 1)
        }
    }

    @Test(arguments: Road.allCases)
    func cancellingAReaderCancelsTheHandler(road: Road) async throws {
        let cancelled = Gate(), reading = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    try await waitForCancellation(cancelled)
                })
        }
        try await road.lead(to: handler) { client, root in
            let response = try await client.send(ClientRequest(url: root, timeout: nil))
            let reader = Task {
                for try await _ in response.body { reading.open() }
            }
            await reading.wait()
            reader.cancel()
            await #expect(throws: HTTPClientError.cancelled) { try await reader.value }
            await cancelled.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func droppingTheBodyEndsTheExchange(road: Road) async throws {
        let ended = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    defer { ended.open() }
                    while true { try await writer.write([UInt8](repeating: 1, count: 10_000)) }
                })
        }
        try await road.lead(to: handler) { client, root in
            do {
                let response = try await client.send(ClientRequest(url: root, timeout: nil, maximumBodyBytes: .max))
                var body = response.body.makeAsyncIterator()
                #expect(try await body.next()?.isEmpty == false)
            }
            await ended.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func aProducerIsCancelledWhenTheAnswerDoesNotWaitForIt(road: Road) async throws {
        let ended = Gate()
        let body = ClientBodyStream { write in
            defer { ended.open() }
            try await write([1])
            try await waitForCancellation(Gate())
        }
        try await road.lead(to: { _ in throw HTTPError(413, "too much") }) { client, root in
            let response = try await client.send(ClientRequest(method: "POST", url: root, body: .stream(body, length: nil)))
            #expect(response.status == 413)
            _ = try await response.body.collect(upTo: 1000)
            await ended.wait()
        }
    }

    @Test(arguments: Road.allCases)
    func anAnswerThatComesBeforeTheBodyIsSentIsTheAnswer(road: Road) async throws {
        let handler: Handler = { request in
            if request.path == "/streamed" {
                return Response(status: 409, body: .stream { writer in for _ in 0..<10 { try await writer.write("no") } })
            }
            throw HTTPError(413, "too much")
        }
        // As much as the server takes in after its answer, before it resets the connection.
        let body = [UInt8](repeating: 1, count: 450_000)
        try await road.lead(to: handler) { client, root in
            for round in 0..<10 {
                let bodies: [ClientBody] = [.bytes(body), .stream(Pieces([body, body])), .stream(Pieces([body, body]), length: 900_000)]
                for body in bodies {
                    let response = try await client.send(ClientRequest(method: "POST", url: root, body: body))
                    #expect(response.status == 413, "round \(round)")
                    #expect(try await response.body.collect(upTo: 1000).count > 10)
                    let streamed = try await client.send(ClientRequest(method: "POST", url: root + "/streamed", body: body))
                    #expect(streamed.status == 409, "round \(round)")
                    #expect(try await streamed.body.collect(upTo: 1000).count == 20)
                }
            }
        }
    }

    @Test(arguments: Road.allCases)
    func aBodyOverTheLimitIsNotRead(road: Road) async throws {
        let handler: Handler = { request in
            if request.path == "/known" { return Response(body: .bytes([UInt8](repeating: 1, count: 1001))) }
            return Response(
                body: .stream { writer in
                    for _ in 0..<11 { try await writer.write([UInt8](repeating: 1, count: 91)) }
                })
        }
        try await road.lead(to: handler) { client, root in
            var request = ClientRequest(url: root + "/known", maximumBodyBytes: 1000)
            await #expect(throws: HTTPClientError.bodyTooLarge(limit: 1000)) { try await client.send(request) }
            request.method = "HEAD"
            #expect(try await client.send(request).headers["content-length"] == "1001")
            request.method = "GET"
            request.url = root + "/streamed"
            await #expect(throws: HTTPClientError.bodyTooLarge(limit: 1000)) {
                for try await _ in try await client.send(request).body {}
            }
            request.maximumBodyBytes = 1001
            #expect(try await client.send(request).body.collect(upTo: 1001).count == 1001)
            let response = try await client.send(request)
            await #expect(throws: HTTPClientError.bodyTooLarge(limit: 1000)) { try await response.body.collect(upTo: 1000) }
        }
    }

    @Test(arguments: Road.allCases)
    func aReplyThatBreaksOffIsAnErrorAfterItsBytes(road: Road) async throws {
        struct Broken: Error {}
        let goOn = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    await goOn.wait()
                    throw Broken()
                })
        }
        try await road.lead(to: handler) { client, root in
            let response = try await client.send(ClientRequest(url: root))
            var body = response.body.makeAsyncIterator()
            #expect(try await body.next() == Array("first".utf8))
            goOn.open()
            let error = await #expect(throws: HTTPClientError.self) { try await body.next() }
            guard case .transport(_, _, sent: true) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: Road.allCases)
    func eventsArriveOneByOne(road: Road) async throws {
        let (source, feed) = AsyncStream<ServerSentEvent>.makeStream()
        try await road.lead(to: { _ in Response(events: source) }) { client, root in
            feed.yield(ServerSentEvent(event: "first", id: "1", data: "a\nb"))
            let response = try await client.send(.serverSentEvents(url: root, lastEventID: "0"))
            var events = try ServerSentEvents(response).makeAsyncIterator()
            #expect(try await events.next() == ServerSentEvents.Event(id: "1", event: "first", data: "a\nb"))
            for number in 2..<50 {
                feed.yield(ServerSentEvent(id: "\(number)", data: "{\"n\":\(number)}"))
                #expect(try await events.next() == ServerSentEvents.Event(id: "\(number)", data: "{\"n\":\(number)}"))
            }
            feed.finish()
            #expect(try await events.next() == nil)
        }
    }

    @Test(arguments: Road.allCases)
    func anAnswerThatIsNoEventStreamIsNotReadAsOne(road: Road) async throws {
        let handler: Handler = { request in
            request.path == "/404"
                ? Response(status: 404, headers: ["Content-Type": "text/event-stream"], body: .bytes([])) : Response(text: "data: x\n\n")
        }
        try await road.lead(to: handler) { client, root in
            let missing = try await client.send(.serverSentEvents(url: root + "/404"))
            #expect(throws: ServerSentEventError.notAnEventStream(status: 404, contentType: "text/event-stream")) {
                try ServerSentEvents(missing)
            }
            let text = try await client.send(.serverSentEvents(url: root))
            #expect(throws: ServerSentEventError.self) { try ServerSentEvents(text) }
        }
    }

    @Test(arguments: Road.allCases)
    func oneBodyHasOneReader(road: Road) async throws {
        let cancelled = Gate()
        let handler: Handler = { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("x")
                    try await waitForCancellation(cancelled)
                })
        }
        try await road.lead(to: handler) { client, root in
            let response = try await client.send(ClientRequest(url: root, timeout: nil))
            var body = response.body.makeAsyncIterator()
            _ = try await body.next()
            let errors = Counter()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        do {
                            for try await _ in response.body {}
                        } catch HTTPClientError.invalidRequest {
                            errors.add()
                        } catch {}
                    }
                }
                await group.next()
                group.cancelAll()
            }
            #expect(errors.value == 1)
        }
    }

    @Test(arguments: Road.allCases)
    func manyAtOnceGetEachTheirOwn(road: Road) async throws {
        try await road.lead(to: { Response(text: String($0.target)) }) { client, root in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<64 {
                    group.addTask {
                        for round in 0..<20 {
                            let path = "/\(worker)/\(round)"
                            let response = try await client.send(ClientRequest(url: root + path))
                            let text = String(decoding: try await response.body.collect(upTo: 100), as: UTF8.self)
                            #expect(text == path)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
