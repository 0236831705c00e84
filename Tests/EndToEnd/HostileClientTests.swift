import EventLog
import Events
import Identity
import JSON
import PrivatePostgres
import Synchronization
import TestSupport
import Testing
import Threads

extension Survival {
    @Suite("Hostile clients of the running program")
    struct HostileClientTests {
        /// Calls a body on so many threads and waits for all of them.
        private static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count { group.addTask { try await OSThread.run(name: "hostile") { try body(number) } } }
                try await group.waitForAll()
            }
        }

        /// Waits until the process holds no more than before, and answers.
        private static func expectLevel(_ before: ProcessFigures, of ledger: LedgerProcess, spareKiB: Int) async throws {
            var now = before
            do {
                try await eventually("what is held to be let go", timeout: .seconds(30)) {
                    now = try ProcessFigures(ledger.pid)
                    return now.descriptors <= before.descriptors && now.threads <= before.threads + 2
                        && now.residentKiB <= before.residentKiB + spareKiB
                }
            } catch { throw Unfit("before: \(before); now: \(now); \(error)") }
            try await eventually("no handler to be left but the one that counts them", timeout: .seconds(10)) {
                try await ledger.metric("openledger_http_open_handlers") == 1
            }
            #expect(try await ledger.ask("GET", "/readyz", token: "").status == 200)
        }

        private static func head(_ line: String, _ fields: String..., body: String = "") -> String {
            ([line, "Host: ledger"] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
        }

        @Test("Slow, hung and vanishing clients are shown the door or given up, and leave nothing behind")
        func slowAndHung() async throws {
            try await House.with { house in
                // With one connection for reading, what the ledger holds at rest is the same every time.
                let ledger = try await house.startLedger(environment: ["OPENLEDGER_DATABASE_CONNECTIONS": "1"])
                let client = ledger.client()
                let large = JSONValue.string(String(repeating: "x", count: 40_000))
                for number in 0..<8 {
                    let time = Sample.now
                    let events = try (0..<20).map { try Sample.event("fill-\(number)", ordinal: $0, time: time, data: ["text": large]) }
                    _ = try await client.append(AppendRequest(events: events))
                }
                let token = try house.signer(.billing).mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 300)
                let authorization = "Authorization: Bearer " + token
                _ = try await client.read(stream: #require(StreamName("account/a")), from: 0, limit: 1)
                let before = try ProcessFigures(ledger.pid)
                let port = ledger.port
                let results = Lock<[String: Int]>([:])
                try await Self.onThreads(60) { number in
                    let wire = try Wire(port: port, patience: 20)
                    var what = ""
                    switch number % 6 {
                    case 0:
                        // A head that never ends.
                        wire.send("GET /log/checkpoint HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                        what = wire.rest().text.hasPrefix("HTTP/1.1 408") ? "408" : "slow head"
                    case 1:
                        // A body that never comes.
                        wire.send(
                            Self.head(
                                "POST /log/v1/append HTTP/1.1", authorization, "Content-Type: application/json", "Content-Length: 5000",
                                body: "{"))
                        what = wire.rest().text.hasPrefix("HTTP/1.1 408") ? "408" : "slow body"
                    case 2:
                        // Nothing at all.
                        what = wire.rest().isClosed ? "closed" : "nothing said"
                    case 3:
                        // A large reply that nobody reads: the connection goes when the reply does not move.
                        wire.narrow()
                        wire.send(Self.head("GET /log/v1/events?from=0&limit=4096 HTTP/1.1", authorization))
                        what = wire.take() == nil ? "nothing" : "vanished"
                    case 4:
                        // A long poll whose client goes.
                        wire.send(Self.head("GET /log/v1/events?from=1000000&wait=30 HTTP/1.1", authorization))
                        wire.resetAtEnd()
                        what = "vanished"
                    default:
                        // A live subscription whose client goes after the first events.
                        wire.send(Self.head("GET /log/v1/subscribe?from=0 HTTP/1.1", authorization))
                        what = wire.take()?.isEmpty == false ? "vanished" : "no event"
                    }
                    results.withLock { $0[what, default: 0] += 1 }
                }
                #expect(results.withLock { $0 } == ["408": 20, "closed": 10, "vanished": 30])
                try await Self.expectLevel(before, of: ledger, spareKiB: 64 << 10)
                #expect(await ledger.child.stop() == .exited(0))
            }
        }

        @Test("Requests that two readers could read in two ways are refused, and nothing hidden in them is carried out")
        func smuggling() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let token = try house.signer(.billing).mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 300)
                let authorization = "Authorization: Bearer " + token
                let hidden = try String(decoding: LogWire.encode(Sample.append("smuggled")), as: UTF8.self)
                let inner = Self.head(
                    "POST /log/v1/append HTTP/1.1", authorization, "Content-Type: application/json", "Content-Length: \(hidden.utf8.count)",
                    body: hidden)
                let length = inner.utf8.count
                let attempts: [String] = [
                    Self.head(
                        "POST /nothing HTTP/1.1", "Content-Length: \(length)", "Transfer-Encoding: chunked", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 4", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Content-Length: 0", "Content-Length: \(length)", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "Content-Length: 0, \(length)", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "Content-Length : \(length)", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "Content-Length: +0", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: xchunked", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: chunked, identity", body: "0\r\n\r\n" + inner),
                    Self.head(
                        "POST /nothing HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding : chunked", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: chunked", body: "00000000000000000\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: chunked", body: "0;\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "Transfer-Encoding: chunked", body: "1\r\naX\r\n0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.0", "Transfer-Encoding: chunked", body: "0\r\n\r\n" + inner),
                    Self.head("POST /nothing HTTP/1.1", "X: a\n", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "X: a\r Content-Length: 0", body: inner),
                    Self.head("POST /nothing HTTP/1.1", " Folded: yes", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "X: \u{0}", body: inner),
                    Self.head("POST /nothing HTTP/1.1", "Host: another", body: inner),
                    Self.head("POST  /nothing HTTP/1.1", body: inner),
                    "POST /nothing HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + inner,
                    "POST /nothing HTTP/1.1\nHost: a\n\n" + inner,
                ]
                let port = ledger.port
                for (number, attempt) in attempts.enumerated() {
                    let (text, isClosed) = try await OSThread.run(name: "smuggler") {
                        let wire = try Wire(port: port, patience: 3)
                        wire.send(attempt)
                        return wire.rest()
                    }
                    let status = text.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                    #expect(["400", "413", "417", "431", "501", "505"].contains(status), "attempt \(number): \(text.prefix(200))")
                    #expect(isClosed, "attempt \(number): the connection is not used again")
                    #expect(text.ranges(of: "HTTP/1.1 ").count == 1, "attempt \(number): one answer, and no word to what was hidden")
                }
                #expect(try await ledger.status().size == 0)
                // The same, said properly, is carried out: what was hidden was fit to be.
                let (proper, _) = try await OSThread.run(name: "honest") {
                    let wire = try Wire(port: port, patience: 2)
                    wire.send(Self.head("GET /nothing HTTP/1.1") + inner)
                    return wire.rest()
                }
                #expect(proper.contains("HTTP/1.1 404") && proper.contains("HTTP/1.1 201"))
                #expect(try await ledger.status().size == 1)
                await ledger.child.stop()
            }
        }

        @Test("Ten thousand random clients leave the process as it was")
        func tenThousand() async throws {
            try await House.with { house in
                // With one connection for reading, what the ledger holds at rest is the same every time.
                let ledger = try await house.startLedger(environment: ["OPENLEDGER_DATABASE_CONNECTIONS": "1"])
                let client = ledger.client()
                _ = try await client.append(try Sample.append("first"))
                let token = try house.signer(.billing).mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 600)
                let authorization = "Authorization: Bearer " + token
                let append = try String(decoding: LogWire.encode(Sample.append("never")), as: UTF8.self)
                let sayings: [String] = [
                    Self.head("GET /log/checkpoint HTTP/1.1"), Self.head("GET /healthz HTTP/1.1", "Connection: close"),
                    Self.head("GET /log/v1/events?from=0&wait=20 HTTP/1.1", authorization),
                    Self.head("GET /log/v1/events?from=9999&wait=20 HTTP/1.1", authorization),
                    Self.head("GET /log/v1/subscribe HTTP/1.1", authorization),
                    Self.head("GET /log/v1/status HTTP/1.1", "Authorization: Bearer x.y.z"),
                    Self.head("GET /log/tile/0/000.p/1 HTTP/1.1"), Self.head("HEAD /log/checkpoint HTTP/1.1"),
                    Self.head("GET /openapi.json HTTP/1.1"),
                    // An append without a token, and half of one with.
                    Self.head(
                        "POST /log/v1/append HTTP/1.1", "Content-Type: application/json", "Content-Length: \(append.utf8.count)",
                        body: append),
                    Self.head(
                        "POST /log/v1/append HTTP/1.1", authorization, "Content-Type: application/json",
                        "Content-Length: \(append.utf8.count)", body: String(append.prefix(200))),
                    Self.head(
                        "POST /log/v1/append HTTP/1.1", authorization, "Transfer-Encoding: chunked", "Content-Type: application/json",
                        body: "5\r\n{\"eve"),
                ]
                let port = ledger.port
                @Sendable func visit(_ dice: inout SeededGenerator) throws {
                    let wire = try Wire(port: port, patience: 0.002)
                    var bytes: [UInt8] = []
                    for _ in 0..<([1, 1, 1, 2, 6].randomElement(using: &dice) ?? 1) {
                        bytes += Array((sayings.randomElement(using: &dice) ?? "").utf8)
                    }
                    if dice.chance(0.3) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &dice)) }
                    if dice.chance(0.3), !bytes.isEmpty {
                        for _ in 0..<3 {
                            bytes[Int.random(in: 0..<min(bytes.count, 300), using: &dice)] = UInt8.random(in: 0...255, using: &dice)
                        }
                    }
                    wire.send(bytes)
                    if dice.chance(0.5) { _ = wire.take() }
                    switch Int.random(in: 0..<3, using: &dice) {
                    case 0: wire.resetAtEnd()
                    case 1: wire.halfClose()
                    default: break
                    }
                }
                let seed = Seed.generator().seed
                @Sendable func crowd(_ count: Int, _ round: UInt64) async throws {
                    try await Self.onThreads(8) { number in
                        var dice = SeededGenerator(seed: seed &+ round &* 1_000 &+ UInt64(number))
                        for _ in 0..<(count / 8) { try visit(&dice) }
                    }
                }
                // The first crowd warms up what is kept for ever; the second must add nothing to it.
                try await crowd(2_000, 1)
                try await eventually("the first crowd to be gone") { try await ledger.metric("openledger_http_open_handlers") == 1 }
                _ = try await client.read(stream: #require(StreamName("account/a")), from: 0, limit: 1)
                let before = try ProcessFigures(ledger.pid)
                try await crowd(8_000, 2)
                try await Self.expectLevel(before, of: ledger, spareKiB: 24 << 10)
                #expect(try await ledger.metric("openledger_http_connections_total") ?? 0 >= 10_000)
                #expect(try await ledger.status().size == 1, "nobody appended anything")
                _ = try await client.append(try Sample.append("second"))
                #expect(await ledger.child.stop() == .exited(0))
            }
        }
    }
}
