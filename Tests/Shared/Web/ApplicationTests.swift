import Crypto
import HTTP
import JSON
import Telemetry
import Testing

@testable import Web

@Suite struct ApplicationTests {
    private static let order = #"{"item":"tea","amount":"5"}"#

    // MARK: who may

    @Test func everyRouteThatIsNotPublicRefusesWhoeverHasNoTokenOrNoScope() async throws {
        let test = try TestApplication()
        var swept = 0
        for route in test.application.routes where route.access != .public {
            let path = route.pattern.replacing("{id}", with: "a").replacing("{name}", with: "a")
            let anonymous = try await test.send(route.method.rawValue, path)
            #expect(anonymous.status == 401 && anonymous.problem == "unauthenticated", "\(route.operation)")
            #expect(anonymous.headers["WWW-Authenticate"] == #"Bearer realm="openledger""#)
            let forged = try await test.send(route.method.rawValue, path, ["Authorization": "Bearer bad"])
            #expect(forged.status == 401, "\(route.operation)")
            #expect(forged.headers["WWW-Authenticate"]?.contains("invalid_token") == true)
            let known = try await test.send(route.method.rawValue, path, TestApplication.token("something:else"))
            if route.access == .authenticated {
                #expect(known.status == 204)
            } else {
                #expect(known.status == 403 && known.problem == "forbidden", "\(route.operation)")
                #expect(known.headers["WWW-Authenticate"]?.contains("insufficient_scope") == true)
            }
            swept += 1
        }
        #expect(swept >= 7)
        #expect(test.conformance.violations == [])
    }

    @Test func metricsAreOpenToThisMachineOnlyWhereTheSiteSaysSo() async throws {
        let closed = try TestApplication()
        #expect(try await closed.send("GET", "/metrics", peer: Peer(address: "127.0.0.1", port: 1)).status == 401)
        #expect(try await closed.send("GET", "/metrics", TestApplication.token("metrics:read")).status == 200)
        var options = ApplicationOptions()
        options.metricsAccess = .scopesOrLoopback(["metrics:read"])
        let open = try TestApplication(options: options)
        #expect(try await open.send("GET", "/metrics", peer: Peer(address: "127.0.0.1", port: 1)).status == 200)
        #expect(try await open.send("GET", "/metrics", peer: Peer(address: "::1", port: 1)).status == 200)
        #expect(try await open.send("GET", "/metrics", peer: Peer(address: "127.0.0.1", isForwarded: true)).status == 401)
        #expect(try await open.send("GET", "/metrics", peer: Peer(address: "192.0.2.1", port: 1)).status == 401)
        #expect(try await open.send("GET", "/metrics", peer: Peer(address: "unix")).status == 401)
        #expect(try await open.send("GET", "/metrics").status == 401)
        // Who shows a credential is held to it.
        let local = Peer(address: "127.0.0.1", port: 1)
        #expect(try await open.send("GET", "/metrics", TestApplication.token("x"), peer: local).status == 403)
        #expect(open.conformance.violations == [])
    }

    @Test func aPeerThatKeepsForgingIsToldToWaitAndOthersAreNot() async throws {
        var options = ApplicationOptions()
        options.authenticationFailures = 3
        options.failureForgiven = .seconds(1000)
        let test = try TestApplication(options: options)
        let forger = Peer(address: "192.0.2.9", port: 1)
        for _ in 0..<3 {
            #expect(try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer bad"], peer: forger).status == 401)
        }
        let limited = try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer bad"], peer: forger)
        #expect(limited.status == 429 && limited.problem == "too-many-requests")
        #expect(try #require(limited.headers["Retry-After"].flatMap { Int($0) }) > 900)
        let other = Peer(address: "192.0.2.10", port: 1)
        #expect(try await test.send("GET", "/v1/items/a", TestApplication.token("items:read"), peer: other).status == 200)
        #expect(test.conformance.violations == [])
    }

    @Test func aKnownCredentialPassesThoughItsAddressIsLimited() async throws {
        var options = ApplicationOptions()
        options.authenticationFailures = 1
        let test = try TestApplication(options: options)
        let good = TestApplication.token("items:read")
        let peer = Peer(address: "192.0.2.9", port: 1)
        #expect(try await test.send("GET", "/v1/items/a", good, peer: peer).status == 200)
        #expect(try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer bad"], peer: peer).status == 401)
        #expect(try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer bad"], peer: peer).status == 429)
        let stranger = TestApplication.token("items:read", of: "bob")
        #expect(try await test.send("GET", "/v1/items/a", stranger, peer: peer).status == 429)
        #expect(try await test.send("GET", "/v1/items/a", good, peer: peer).status == 200)
    }

    @Test func aCredentialThatCannotBeCheckedNowIsNoRefusal() async throws {
        struct Away: ProblemConvertible {
            var problem: Problem { Problem(.unavailable, "keys are away") }
        }
        let test = try TestApplication(authenticator: Authenticator { _ in throw Away() })
        let answer = try await test.send("GET", "/v1/items/a", ["Authorization": "Bearer x"])
        #expect(answer.status == 503)
    }

    // MARK: paths, methods, queries

    @Test func unknownPathsAndMethodsAreProblems() async throws {
        let test = try TestApplication()
        let missing = try await test.send("GET", "/v1/nothing")
        #expect(missing.status == 404 && missing.problem == "not-found")
        let method = try await test.send("POST", "/v1/items")
        #expect(method.status == 405 && method.headers["Allow"] == "GET, HEAD")
        #expect(try await test.send("GET", "/v1/items/").status == 404)
        #expect(try await test.send("GET", "/v1/items/..%2f..%2fmetrics").problem == "bad-path")
        #expect(try await test.send("GET", "/v1/items/%00").problem == "bad-path")
        #expect(test.conformance.violations == [])
    }

    @Test func theProblemDocumentHasItsMembers() async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("items:read")
        headers.set("X-Request-Id", "r-1")
        let answer = try await test.send("GET", "/v1/items/none?full=true", headers)
        #expect(answer.headers["Content-Type"] == "application/problem+json")
        #expect(
            answer.json == [
                "type": "/problems/not-found", "title": "Not found", "status": 404, "detail": "there is no item none",
                "instance": "/v1/items/none", "requestId": "r-1", "field": "id",
            ])
        let type = try await test.send("GET", "/problems/not-found")
        #expect(type.json["title"] == "Not found")
        #expect(try await test.send("GET", "/problems/out-of-stock").json["status"] == 409)
        #expect(try await test.send("GET", "/problems/x").status == 404)
    }

    @Test func anUnknownQueryParameterIsNamed() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/v1/items/a?ful=true", TestApplication.token("items:read"))
        #expect(answer.status == 400 && answer.problem == "bad-query")
        #expect(answer.json["field"] == "ful")
        #expect(answer.json["errors"]?.arrayValue?.count == 1)
    }

    @Test func aPathParameterBeyondItsRuleIsNamed() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/v1/items/" + String(repeating: "a", count: 256), TestApplication.token("items:read"))
        #expect(answer.status == 400 && answer.json["field"] == "id")
        let blob = try await test.send("PUT", "/v1/blobs/12345678901234567", TestApplication.token("blobs:write"))
        #expect(blob.status == 400 && blob.json["field"] == "name")
    }

    // MARK: bodies

    @Test func aGoodCommandIsCarriedOut() async throws {
        let test = try TestApplication()
        let headers = TestApplication.token("orders:write")
        let first = try await test.post("/v1/orders", headers, json: Self.order, key: "k1")
        #expect(first.status == 201)
        // Written otherwise it is the same command with the same digest.
        let same = try await test.post("/v1/orders", headers, json: " {\"amount\": \"5\", \"item\":\"te\\u0061\"}\n", key: "\"k1\"")
        #expect(same.json == first.json)
        let other = try await test.post("/v1/orders", headers, json: #"{"item":"tea","amount":"6"}"#, key: "k1")
        #expect(other.json["command"] == first.json["command"])
        #expect(other.json["digest"] != first.json["digest"])
        let bob = try await test.post("/v1/orders", TestApplication.token("orders:write", of: "bob"), json: Self.order, key: "k1")
        #expect(bob.json["command"] != first.json["command"])
        let byKey = try await test.post("/v1/orders", ["X-API-Key": "olk_alice"], json: Self.order, key: "k1")
        #expect(byKey.json == first.json)
        #expect(first.json["digest"]?.stringValue == SHA256.hash(utf8: #"{"amount":"5","item":"tea"}"#).prefixed)
        #expect(test.conformance.violations == [])
    }

    @Test(arguments: [
        (#"{"item":"tea"}"#, 400, "bad-body", "#/amount"), (#"{"item":"tea","amount":5}"#, 400, "bad-body", "#/amount"),
        (#"{"item":"tea","amount":"05"}"#, 400, "bad-body", "#/amount"), (#"{"item":"tea","amount":"5","x":1}"#, 400, "bad-body", "#/x"),
        (#"{"item":"tea","amount":"5","tags":["a","b",3]}"#, 400, "bad-body", "#/tags/2"), ("", 400, "bad-body", "#"),
        ("{", 400, "bad-body", "#"), (#"{"item":"tea","item":"x","amount":"5"}"#, 400, "bad-body", "#/item"),
        (#"{"item":[[[[[1]]]]],"amount":"5"}"#, 400, "bad-body", "#/item/0/0/0"), ("nul", 400, "bad-body", "#"),
        (String(repeating: " ", count: 1001), 413, "body-too-large", "#"),
    ])
    func aBadBodyNamesItsPlace(body: String, status: Int, problem: String, field: String) async throws {
        let test = try TestApplication()
        let answer = try await test.post("/v1/orders", TestApplication.token("orders:write"), json: body, key: "k")
        #expect(answer.status == status && answer.problem == problem, "\(answer.text)")
        #expect(answer.json["field"]?.stringValue == field)
        #expect(test.conformance.violations == [])
    }

    @Test(arguments: [nil, "text/plain", "application/jsonx", "application/json; charset=latin1", "application/x-www-form-urlencoded"])
    func anotherMediaTypeIsRefused(type: String?) async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("orders:write")
        headers.set("Idempotency-Key", "k")
        if let type { headers.set("Content-Type", type) }
        let answer = try await test.send("POST", "/v1/orders", headers, body: Array(Self.order.utf8))
        #expect(answer.status == 415 && answer.headers["Accept"] == "application/json")
    }

    @Test(arguments: ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""])
    func theMediaTypesSpellingsAreTaken(type: String) async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("orders:write")
        headers.set("Idempotency-Key", "k")
        headers.set("Content-Type", type)
        #expect(try await test.send("POST", "/v1/orders", headers, body: Array(Self.order.utf8)).status == 201)
    }

    @Test func aDeclaredLengthBeyondTheLimitIsRefusedUnread() async throws {
        struct Unreadable: BodySource {
            func next() async throws -> [UInt8]? {
                Issue.record("the body was read")
                return nil
            }
        }
        let test = try TestApplication()
        for (target, type) in [("/v1/orders", "application/json"), ("/v1/blobs/a", "application/octet-stream")] {
            var headers = TestApplication.token("orders:write", "blobs:write")
            headers.set("Content-Type", type)
            headers.set("Idempotency-Key", "k")
            headers.set("Content-Length", "1001")
            let request = Request(
                method: target.hasPrefix("/v1/o") ? "POST" : "PUT", target: target, headers: headers,
                body: RequestBody(source: Unreadable()))
            #expect(try await test.conformance.handler(request).status == 413)
        }
    }

    @Test func aStreamIsBoundedWhileItComes() async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("blobs:write")
        headers.set("Content-Type", "application/octet-stream")
        let fits = try await test.send("PUT", "/v1/blobs/a", headers, body: [UInt8](repeating: 1, count: 100))
        #expect(fits.status == 200 && fits.json == 100)
        #expect(try await test.send("PUT", "/v1/blobs/a", headers, body: [UInt8](repeating: 1, count: 101)).status == 413)
        #expect(test.conformance.violations == [])
    }

    @Test func aBodyWhereNoneBelongsIsRefused() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/v1/items/a", TestApplication.token("items:read"), body: [1])
        #expect(answer.status == 400 && answer.problem == "bad-body")
    }

    // MARK: commands

    @Test func aCommandWithoutItsKeyIsRefused() async throws {
        let test = try TestApplication()
        let missing = try await test.post("/v1/orders", TestApplication.token("orders:write"), json: Self.order)
        #expect(missing.status == 400 && missing.problem == "idempotency-key-missing")
        let bad = try await test.post("/v1/orders", TestApplication.token("orders:write"), json: Self.order, key: "a b")
        #expect(bad.status == 400 && bad.problem == "idempotency-key-invalid")
        var twice = TestApplication.token("orders:write")
        twice.append("Idempotency-Key", "a")
        twice.append("Idempotency-Key", "b")
        twice.append("Content-Type", "application/json")
        #expect(try await test.send("POST", "/v1/orders", twice, body: Array(Self.order.utf8)).problem == "idempotency-key-invalid")
    }

    @Test func theSameCommandIsToldToWaitWhileItRuns() async throws {
        let gate = TestApplication.Gate()
        let test = try TestApplication(gate: gate)
        let headers = TestApplication.token("orders:write")
        await gate.close()
        async let first = test.post("/v1/orders", headers, json: Self.order, key: "k")
        await gate.someoneWaits()
        let second = try await test.post("/v1/orders", headers, json: Self.order, key: "k")
        #expect(second.status == 409 && second.problem == "command-in-flight")
        await gate.open()
        #expect(try await first.status == 201)
        #expect(try await test.post("/v1/orders", headers, json: Self.order, key: "k").status == 201)
        #expect(test.conformance.violations == [])
    }

    // MARK: errors

    @Test func anUnforeseenErrorTellsNothingAndIsLogged() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/v1/broken")
        #expect(answer.status == 500 && answer.problem == "internal")
        #expect(!answer.text.contains("swordfish") && !answer.text.contains("Unforeseen"))
        let id = try #require(answer.headers["X-Request-Id"])
        #expect(test.recorder.lines.contains { $0.contains("Unforeseen") && $0.contains(id) })
    }

    @Test func aProblemOfTheServiceCarriesItsMembers() async throws {
        let test = try TestApplication()
        let answer = try await test.post(
            "/v1/orders", TestApplication.token("orders:write"), json: #"{"item":"nothing","amount":"1"}"#, key: "k")
        #expect(answer.status == 409 && answer.problem == "out-of-stock" && answer.json["left"] == 0)
        #expect(test.conformance.violations == [])
    }

    @Test func aHandlerBeyondItsDeadlineIsCancelled() async throws {
        let test = try TestApplication()
        let answer = try await test.send("GET", "/v1/slow")
        #expect(answer.status == 503 && answer.problem == "deadline-exceeded" && answer.headers["Retry-After"] == "1")
        #expect(test.conformance.violations == [])
    }

    @Test func aCancelledRequestHasNoAnswer() async throws {
        let test = try TestApplication()
        let task = Task { try await test.send("GET", "/v1/slow") }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
    }

    @Test func anotherProtocolsErrorsLookLikeItsOwn() async throws {
        let style = ErrorStyle(type: "application/json") { problem, place in
            .json(["error": ["message": .string(problem.detail), "request": .string(place.requestID)]], status: problem.status)
        }
        let route = Route(
            .get, "/other", operation: "other", summary: "x", access: .scope("x"), replies: [.empty(204, "x")], errors: style
        ) { _ in .noContent }
        let test = try TestApplication(extra: [route])
        let answer = try await test.send("GET", "/other")
        #expect(answer.status == 401 && answer.json["error"]?["message"]?.stringValue?.isEmpty == false)
        #expect(test.conformance.violations == [])
    }

    // MARK: ids, traces, logs, metrics

    @Test func theRequestsIdIsEchoedWhenItIsHarmless() async throws {
        let test = try TestApplication()
        #expect(try await test.send("GET", "/healthz", ["X-Request-Id": "a-1.b:c_D"]).headers["X-Request-Id"] == "a-1.b:c_D")
        let hostile: [Headers] = [
            [:], ["X-Request-Id": ""], ["X-Request-Id": "a b"], ["X-Request-Id": "<script>"],
            ["X-Request-Id": String(repeating: "a", count: 129)],
            ["X-Request-Id": "a", "x-request-id": "b"],
        ]
        var ids: Set<String> = []
        for headers in hostile {
            let id = try #require(try await test.send("GET", "/healthz", headers).headers["X-Request-Id"])
            #expect(id.count == 32)
            ids.insert(id)
        }
        #expect(ids.count == hostile.count)
    }

    @Test func theTraceIsCarried() async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("items:read")
        headers.set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(try await test.send("GET", "/v1/items/a", headers).json["trace"] == "4bf92f3577b34da6a3ce929d0e0e4736")
        headers.set("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")
        let fresh = try await test.send("GET", "/v1/items/a", headers).json["trace"]?.stringValue
        #expect(fresh?.count == 32 && fresh != "00000000000000000000000000000000")
        #expect(test.recorder.lines.contains { $0.contains("4bf92f3577b34da6a3ce929d0e0e4736") })
    }

    @Test func everyAnswerIsLoggedAndCountedByItsPattern() async throws {
        let test = try TestApplication()
        _ = try await test.send("GET", "/v1/items/a?full=true", TestApplication.token("items:read"), peer: Peer(address: "192.0.2.1"))
        _ = try await test.send("GET", "/v1/items/b", TestApplication.token("items:read"))
        _ = try await test.send("GET", "/zzz")
        let line = try JSON.parse(try #require(test.recorder.lines.first))
        #expect(line["path"] == "/v1/items/a")
        #expect(line["route"] == "/v1/items/{id}")
        #expect(line["status"] == 200)
        #expect(line["principal"] == "alice")
        #expect(line["peer"] == "192.0.2.1")
        #expect(test.recorder.lines.count == 3)
        let text = try await test.send("GET", "/metrics", TestApplication.token("metrics:read")).text
        #expect(text.contains(#"openledger_http_requests_total{route="/v1/items/{id}",status="200"} 2"#))
        #expect(text.contains(#"openledger_http_requests_total{route="none",status="404"} 1"#))
        #expect(text.contains(#"openledger_http_request_seconds_count{route="/v1/items/{id}"} 2"#))
        #expect(!text.contains("zzz"))
    }

    @Test func whatACallerMaySeeIsNotCached() async throws {
        let test = try TestApplication()
        #expect(try await test.send("GET", "/v1/items/a", TestApplication.token("items:read")).headers["Cache-Control"] == "no-store")
        #expect(try await test.send("GET", "/zzz").headers["Cache-Control"] == "no-store")
        #expect(try await test.send("GET", "/openapi.json").headers["Cache-Control"] == nil)
        #expect(try await test.send("GET", "/zzz").headers["X-Content-Type-Options"] == "nosniff")
    }

    // MARK: pages, events, operators

    @Test func pagesLeadToTheEndOfTheList() async throws {
        let test = try TestApplication()
        let headers = TestApplication.token("items:read")
        var seen: [String] = []
        var target: String? = "/v1/items?limit=2&tag=a%26b"
        var pages = 0
        while let next = target {
            let answer = try await test.send("GET", next, headers)
            #expect(answer.status == 200)
            seen += answer.json["items"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            target = answer.headers["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
            #expect((target == nil) == (answer.json["next"] == nil))
            if let target { #expect(target.contains("tag=a%26b") && target.contains("limit=2")) }
            pages += 1
        }
        #expect(seen == ["0", "1", "2", "3", "4"] && pages == 3)
        #expect(try await test.send("GET", "/v1/items?cursor=abc", headers).problem == "bad-query")
        #expect(try await test.send("GET", "/v1/items?limit=11", headers).problem == "bad-query")
        #expect(test.conformance.violations == [])
    }

    @Test func eventsAreStreamedFromBehindTheLastOneSeen() async throws {
        let test = try TestApplication()
        var headers = TestApplication.token("items:read")
        let all = try await test.send("GET", "/v1/events", headers)
        #expect(all.headers["Content-Type"] == "text/event-stream")
        #expect(all.text == (0..<3).map { "event: e\nid: \($0)\ndata: {}\n\n" }.joined())
        headers.set("Last-Event-ID", "1")
        #expect(try await test.send("GET", "/v1/events", headers).text == "event: e\nid: 2\ndata: {}\n\n")
        for bad in ["x", "-1", "01", "18446744073709551616"] {
            headers.set("Last-Event-ID", bad)
            #expect(try await test.send("GET", "/v1/events", headers).problem == "bad-header")
        }
        #expect(test.conformance.violations == [])
    }

    @Test func aQuietStreamBeats() async throws {
        actor Sink: BodySink {
            var beats = 0
            let enough: AsyncStream<Void>.Continuation
            init(_ enough: AsyncStream<Void>.Continuation) { self.enough = enough }
            func write(_ bytes: [UInt8]) {
                if bytes == ServerSentEvent.heartbeat { beats += 1 }
                if beats == 3 { enough.finish() }
            }
        }
        // The events end when three beats have been seen: without a heart this would wait for ever.
        let (events, ending) = AsyncStream<ServerSentEvent>.makeStream()
        let (beaten, enough) = AsyncStream<Void>.makeStream()
        let response = SSE.response(events, heartbeat: .milliseconds(1))
        guard case .stream(let write) = response.body else { return #expect(Bool(false)) }
        async let written: Void = write(BodyWriter(sink: Sink(enough)))
        for await _ in beaten {}
        ending.finish()
        try await written
    }

    @Test func aStreamEndsWithItsReader() async throws {
        struct Gone: BodySink {
            func write(_ bytes: [UInt8]) async throws { throw Disconnected() }
        }
        let (events, feed) = AsyncStream<ServerSentEvent>.makeStream()
        guard case .stream(let write) = SSE.response(events, heartbeat: .seconds(100)).body else { return #expect(Bool(false)) }
        feed.yield(ServerSentEvent(data: "x"))
        await #expect(throws: Disconnected.self) { try await write(BodyWriter(sink: Gone())) }
    }

    @Test func aLongPollEndsInTimeAndCancelsItsWork() async throws {
        let found = try await LongPoll.run(atMost: .seconds(100)) { 5 }
        #expect(found == 5)
        let (ended, end) = AsyncStream<Bool>.makeStream()
        let late: Int? = try await LongPoll.run(atMost: .milliseconds(5)) {
            do { try await Task.sleep(for: .seconds(100)) } catch { end.yield(Task.isCancelled) }
            try Task.checkCancellation()
            return 1
        }
        #expect(late == nil)
        for await cancelled in ended {
            #expect(cancelled)
            break
        }
        #expect(try await LongPoll.run(atMost: .zero) { 1 } == nil)
    }

    /// What was taken while the time ran out would otherwise be nobody's.
    @Test func whatALongPollTookInItsLastMomentIsTold() async throws {
        let taken = try await LongPoll.run(atMost: .milliseconds(5)) {
            _ = try? await Task.sleep(for: .seconds(100))
            return 1
        }
        #expect(taken == 1)
    }

    @Test func readinessNamesWhatIsMissing() async throws {
        var options = ApplicationOptions()
        options.readinessLimit = .milliseconds(20)
        let good = ReadinessCheck("database") { .ready }
        let bad = ReadinessCheck("broker") { .notReady("no broker answers at kafka:9092") }
        let hung = ReadinessCheck("disk") {
            try? await Task.sleep(for: .seconds(100))
            return .ready
        }
        let ready = try await TestApplication(checks: [good]).send("GET", "/readyz")
        #expect(ready.status == 200 && ready.json["status"] == "ready")
        let test = try TestApplication(checks: [good, bad, hung], options: options)
        let answer = try await test.send("GET", "/readyz")
        #expect(answer.status == 503 && answer.json["status"] == "not-ready")
        let checks = try #require(answer.json["checks"]?.arrayValue)
        #expect(checks.map { $0["ready"]?.boolValue } == [true, false, false])
        #expect(checks[1]["reason"] == "no broker answers at kafka:9092")
        #expect(checks[2]["reason"]?.stringValue?.contains("no answer") == true)
        #expect(try await test.send("GET", "/healthz").json == ["status": "alive"])
        #expect(test.conformance.violations == [])
    }

    // MARK: what is refused at the start

    private func route(
        _ operation: String, _ pattern: String = "/x", access: Access = .public, path: [String: Schema] = [:], body: BodyRule = .none,
        idempotency: Idempotency = .none, replies: [Reply] = [.empty(204, "x")]
    ) -> Route {
        Route(
            .post, pattern, operation: operation, summary: "x", access: access, path: path, body: body, idempotency: idempotency,
            replies: replies
        ) { _ in .noContent }
    }

    @Test func contradictoryRoutesAreRefused() {
        let wrong: [[Route]] = [
            [route("a"), route("a", "/y")], [route("a"), route("b")], [route("a", access: .scopes([]))], [route("a", path: ["id": .text])],
            [route("a", replies: [])], [route("a", body: .stream(["a/b"], limit: 1), idempotency: .required)], [route("getHealth", "/y")],
        ]
        for routes in wrong { #expect(throws: RouteError.self) { try TestApplication(extra: routes) } }
    }
}
