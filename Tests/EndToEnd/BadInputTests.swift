import Crypto
import EventLog
import Events
import Foundation
import Identity
import JSON
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("Bad input by REST")
    struct BadInputTests {
        /// One refused request: what it is, what it sends, and what it must be answered.
        private struct Case: Sendable {
            let what: String
            let body: [UInt8]
            var token: String?
            var type = "application/json"
            let status: Int
            /// Nil for what the transport itself refuses, before any route.
            let problem: String?
            /// What the problem must name.
            var names: [String] = []
        }

        private static func text(_ event: [UInt8]) -> String { String(decoding: event, as: UTF8.self) }
        private static func wrap(_ events: String...) -> [UInt8] { Array("{\"events\":[\(events.joined(separator: ","))]}".utf8) }
        private static func altered(_ event: [UInt8], _ old: String, _ new: String) -> [UInt8] {
            let altered = text(event).replacing(old, with: new)
            return wrap(altered)
        }

        private static func events() throws -> [Case] {
            let good = try Sample.event("bad-1")
            let now = Sample.now.microseconds
            let large = JSONValue.string(String(repeating: "x", count: 66_000))
            let reaction = try Event(
                type: "deposit.received", stream: #require(StreamName("account/a")), time: Sample.now, actor: "survivor",
                cause: .event(id: EventHeader(parsing: good).id), ordinal: 0, correlation: "c", data: [:]
            ).encoded()
            return [
                Case(what: "not JSON", body: Array("{\"events\":[{".utf8), status: 400, problem: "malformed-append"),
                Case(what: "an empty body", body: Array(" ".utf8), status: 400, problem: "malformed-append"),
                Case(what: "no event", body: wrap(), status: 400, problem: "malformed-append", names: ["/events"]),
                Case(what: "another shape", body: Array("[]".utf8), status: 400, problem: "malformed-append"),
                Case(
                    what: "an unknown field", body: Array("{\"events\":[\(text(good))],\"force\":true}".utf8), status: 400,
                    problem: "malformed-append", names: ["/force"]),
                Case(
                    what: "not UTF-8", body: Array("{\"events\":[\"".utf8) + [0xFF, 0xFE] + Array("\"]}".utf8), status: 400,
                    problem: "malformed-append"),
                Case(
                    what: "depth", body: Array("{\"events\":[".utf8) + Array(String(repeating: "[", count: 5_000).utf8), status: 400,
                    problem: "malformed-append"),
                Case(
                    what: "1,025 events", body: Array("{\"events\":[\(Array(repeating: "{}", count: 1_025).joined(separator: ","))]}".utf8),
                    status: 400,
                    problem: "malformed-append", names: ["/events"]),
                Case(
                    what: "a bad expectation", body: Array("{\"events\":[\(text(good))],\"expected\":{\"account/a\":\"most\"}}".utf8),
                    status: 400,
                    problem: "malformed-append", names: ["account/a"]),
                Case(
                    what: "a negative expectation", body: Array("{\"events\":[\(text(good))],\"expected\":{\"account/a\":-1}}".utf8),
                    status: 400,
                    problem: "malformed-append", names: ["account/a"]),
                Case(
                    what: "an oversized event",
                    body: altered(try Sample.event("bad-2", data: ["a": "PLACE"]), "PLACE", large.stringValue ?? ""), status: 413,
                    problem: "too-large", names: ["65535"]),
                Case(what: "an oversized body", body: Array(String(repeating: " ", count: (16 << 20) + 1).utf8), status: 413, problem: nil),
                Case(what: "a space", body: altered(good, "\"type\":", "\"type\": "), status: 422, problem: "not-canonical"),
                Case(what: "keys out of order", body: wrap("{\"v\":1,\"actor\":\"a\"}"), status: 422, problem: "not-canonical"),
                Case(
                    what: "a key twice", body: altered(good, "{\"actor\"", "{\"actor\":\"x\",\"actor\""), status: 422,
                    problem: "not-canonical"),
                Case(what: "a fraction", body: altered(good, "\"1000000\"", "1.5"), status: 422, problem: "not-canonical"),
                Case(what: "an event that is a number", body: wrap("7"), status: 422, problem: "malformed"),
                Case(what: "a missing field", body: altered(good, "\"actor\":\"survivor\",", ""), status: 422, problem: "malformed"),
                Case(what: "a foreign field", body: altered(good, "\"v\":1", "\"v\":1,\"x\":1"), status: 422, problem: "malformed"),
                Case(
                    what: "an empty actor", body: altered(good, "\"survivor\"", "\"\""), status: 422, problem: "malformed",
                    names: ["/actor"]),
                Case(
                    what: "a time with no fraction", body: wrap(text(good).replacing(#/\.\d{6}Z/#, with: "Z")), status: 422,
                    problem: "malformed", names: ["/time"]),
                Case(
                    what: "a type that nobody knows", body: wrap(text(try Sample.event("bad-3", type: "deposit.recieved"))), status: 422,
                    problem: "unknown-type", names: ["deposit.recieved"]),
                Case(
                    what: "a version to come", body: wrap(text(try Sample.event("bad-4", version: 2))), status: 422,
                    problem: "unknown-version", names: ["/v"]),
                Case(
                    what: "a version of nothing", body: altered(good, "\"v\":1", "\"v\":0"), status: 422, problem: "malformed",
                    names: ["/v"]),
                Case(
                    what: "a foreign type", body: wrap(text(try Sample.event("bad-5", type: "job.requested"))), status: 403,
                    problem: "foreign-namespace", names: ["training"]),
                Case(
                    what: "a foreign stream", body: wrap(text(try Sample.event("bad-6", stream: "job/1"))), status: 403,
                    problem: "foreign-namespace", names: ["/stream"]),
                Case(
                    what: "an id of its own", body: altered(good, "\"id\":\"", "\"id\":\"0"), status: 422, problem: "malformed",
                    names: ["/id"]),
                Case(what: "another command's id", body: altered(good, "bad-1", "bad-7"), status: 422, problem: "wrong-id", names: ["/id"]),
                Case(
                    what: "an ordinal that is not its place", body: wrap(text(try Sample.event("bad-8", ordinal: 1))), status: 422,
                    problem: "wrong-id"),
                Case(
                    what: "two causes", body: wrap(text(good), text(try Sample.event("bad-9", ordinal: 1))), status: 422,
                    problem: "mixed-cause", names: ["/events/1"]),
                Case(
                    what: "a time gone by", body: wrap(text(try Sample.event("bad-10", time: Timestamp(microseconds: now - 6_000_000)))),
                    status: 422, problem: "wrong-time", names: ["/time"]),
                Case(
                    what: "a time to come", body: wrap(text(try Sample.event("bad-11", time: Timestamp(microseconds: now + 30_000_000)))),
                    status: 422, problem: "wrong-time", names: ["/time"]),
                Case(
                    what: "a reaction to nothing", body: wrap(text(reaction)), status: 400, problem: "malformed-append",
                    names: ["/cause_position"]),
                Case(
                    what: "a reaction to what is not there", body: Array("{\"cause_position\":99,\"events\":[\(text(reaction))]}".utf8),
                    status: 400,
                    problem: "malformed-append", names: ["/cause_position"]),
                Case(
                    what: "a reaction to another event", body: Array("{\"cause_position\":0,\"events\":[\(text(reaction))]}".utf8),
                    status: 400,
                    problem: "malformed-append", names: ["/cause_position"]),
                Case(
                    what: "another media type", body: wrap(text(good)), type: "text/plain", status: 415, problem: "unsupported-media-type"),
            ]
        }

        private static func tokens(_ house: House) throws -> [Case] {
            let body = wrap(text(try Sample.event("bad-token")))
            let billing = try house.signer(.billing)
            let stranger = TokenSigner(key: try Ed25519PrivateKey.generate(), issuer: "billing")
            func mint(
                _ signer: TokenSigner, subject: String = "billing", audience: String = "ledger", lifetime: Int64 = 60,
                now: Int64 = UnixTime.now
            ) throws -> String {
                try signer.mint(
                    subject: subject, audience: audience, kind: .service, scopes: ["log:append", "log:read"], lifetime: lifetime, now: now)
            }
            let good = try mint(billing)
            let parts = good.split(separator: ".").map(String.init)
            let nobody = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
            let claims = String(decoding: try #require(Base64URL.decode(parts[1])), as: UTF8.self)
            let ingest = Base64URL.encode(Array(claims.replacing("\"billing\"", with: "\"ingest\"").utf8))
            func unauthenticated(_ what: String, _ token: String) -> Case {
                Case(what: what, body: body, token: token, status: 401, problem: "unauthenticated")
            }
            return [
                unauthenticated("no token", ""), unauthenticated("no token at all", "x"),
                unauthenticated("a forged token", try mint(stranger)),
                unauthenticated("a signature cut short", String(good.dropLast(4))),
                unauthenticated("another's signature", parts[0] + "." + ingest + "." + parts[2]),
                unauthenticated("no algorithm", nobody + "." + parts[1] + "."),
                unauthenticated(
                    "a key's name under another key",
                    try mint(TokenSigner(key: Ed25519PrivateKey.generate(), keyID: billing.keyID, issuer: "billing"))),
                unauthenticated("a token for another service", try mint(billing, audience: "datanet")),
                unauthenticated("a token for a year", try mint(billing, lifetime: 31_536_000)),
                unauthenticated("an expired token", try mint(billing, lifetime: 60, now: UnixTime.now - 3_600)),
                unauthenticated("a token of ten thousand bytes", String(repeating: "a", count: 10_000)),
                unauthenticated("a service's key under another's name", try mint(billing, subject: "ingest")),
                Case(
                    what: "another service's own token", body: body, token: try mint(house.signer(.ingest), subject: "ingest"), status: 403,
                    problem: "foreign-namespace"),
                Case(
                    what: "a person with the scope", body: body,
                    token: try house.signer(.agentGateway).mint(
                        subject: "someone", audience: "ledger", kind: .person, scopes: ["log:append"], lifetime: 60),
                    status: 403, problem: "forbidden"),
                unauthenticated(
                    "a person whom no gateway knows",
                    try billing.mint(subject: "someone", audience: "ledger", kind: .person, scopes: ["log:append"], lifetime: 60)),
            ]
        }

        @Test("After SIGHUP a key that was taken out of the key set counts no longer")
        func withdrawnKey() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let token = try house.signer(.billing).mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 600)
                #expect(try await ledger.ask("GET", "/log/v1/events?from=0", token: token).status == 200)
                var keys = try PublicKeySet()
                for service in Service.allCases where service != .billing {
                    try keys.add(PublicKeySet.Entry(key: try house.publicKey(service), issuer: service.rawValue))
                }
                try keys.save(house.folder.path("jwks.json"))
                #expect(try await ledger.ask("GET", "/log/v1/events?from=0", token: token).status == 200)
                ledger.child.process.send(signal: 1)
                try await eventually("the key to count no longer") {
                    try await ledger.ask("GET", "/log/v1/events?from=0", token: token).status == 401
                }
                // A file that can't be read changes nothing.
                try Data("no keys".utf8).write(to: URL(fileURLWithPath: house.folder.path("jwks.json")))
                ledger.child.process.send(signal: 1)
                try await eventually("it to say so") { ledger.child.output.contains("stay as they are") }
                let ingest = try house.signer(.ingest).mint(subject: "ingest", audience: "ledger", kind: .service, lifetime: 600)
                #expect(try await ledger.ask("GET", "/log/v1/events?from=0", token: ingest).status == 200)
                await ledger.child.stop()
            }
        }

        @Test("Each gets its clear error, and nothing of it is stored")
        func refused() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let first = try await ledger.client().append(try Sample.append("good", ["account/a", "hold/1"]))
                #expect(first.position == 0)
                for each in try Self.events() + Self.tokens(house) {
                    let answer = try await ledger.ask("POST", "/log/v1/append", body: each.body, token: each.token, type: each.type)
                    #expect(answer.status == each.status && answer.problem == each.problem, "\(each.what): \(answer)")
                    for name in each.names { #expect(answer.text.contains(name), "\(each.what) names \(name): \(answer)") }
                    #expect(try await ledger.status().size == 2, "\(each.what) is not stored")
                }
                try await (try await LogCheck(ledger)).expectTree(ledger)
                await ledger.child.stop()
            }
        }

        @Test(
            "A replayed command with another body is a conflict that says what differs; a wrong version says the right one; nothing is stored"
        )
        func conflicts() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let client = ledger.client()
                let first = try await client.append(try Sample.append("pay", ["account/a", "hold/1"]))
                for _ in 0..<2 {
                    #expect(try await client.append(try Sample.append("pay", ["account/a", "hold/1"])) == first)
                    let other = AppendRequest(
                        events: [
                            try Sample.event("pay", body: "another", data: ["amount": ["asset": "USDC/6", "amount": "9000000"]])
                        ])
                    let answer = try await ledger.ask("POST", "/log/v1/append", body: LogWire.encode(other))
                    #expect(answer.status == 422 && answer.problem == "command-conflict")
                    for name in ["\"pay\"", "/0/data/amount/amount", "/1", SHA256.hash(utf8: "another").prefixed] {
                        #expect(answer.text.contains(name), "the conflict names \(name): \(answer)")
                    }
                    var stale = try Sample.append("pay-again")
                    stale.expected = [try #require(StreamName("account/a")): .exact(0)]
                    let wrong = try await ledger.ask("POST", "/log/v1/append", body: LogWire.encode(stale))
                    #expect(wrong.status == 409 && wrong.problem == "wrong-version" && wrong.json?["actual"] == .int(1), "\(wrong)")
                    stale.expected = [try #require(StreamName("account/a")): .none]
                    #expect(try await ledger.ask("POST", "/log/v1/append", body: LogWire.encode(stale)).problem == "wrong-version")
                    #expect(try await ledger.status().size == 2)
                    // Another ledger process knows it just as well.
                    await ledger.child.kill()
                    _ = try await ledger.startedAgain()
                }
            }
        }

        @Test("Paths, queries and methods that nothing answers to are refused too")
        func otherRoutes() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                _ = try await ledger.client().append(try Sample.append("one"))
                let cases: [(method: String, path: String, status: Int)] = [
                    ("GET", "/log/v1/events?from=-1", 400), ("GET", "/log/v1/events?limit=0", 400),
                    ("GET", "/log/v1/events?limit=4097", 400),
                    ("GET", "/log/v1/events?frm=1", 400), ("GET", "/log/v1/events/1", 404),
                    ("GET", "/log/v1/events/99999999999999999999", 400),
                    ("GET", "/log/v1/events/0/proof/x", 404), ("GET", "/log/tile/0/x000/000", 404), ("GET", "/log/tile/0/000.p/2", 404),
                    ("GET", "/log/tile/64/000", 400), ("GET", "/log/tile/0/001", 404), ("GET", "/log/tile/entries/999", 404),
                    ("GET", "/log/v1/proofs/inclusion?position=5", 404), ("GET", "/log/v1/proofs/consistency?from=9", 404),
                    ("GET", "/log/v1/streams/account/%00", 400), ("GET", "/log/../log/checkpoint", 400), ("GET", "/log/v1/append", 405),
                    ("DELETE", "/log/v1/events/0", 405), ("GET", "/nothing", 404),
                ]
                for (method, path, status) in cases {
                    let answer = try await ledger.ask(method, path)
                    #expect(answer.status == status && answer.problem != nil, "\(method) \(path): \(answer)")
                }
                #expect(try await ledger.status().size == 1)
                await ledger.child.stop()
            }
        }
    }
}
