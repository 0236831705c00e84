import Crypto
import EventLog
import Events
import HTTP
import JSON
import LedgerService
import TestSupport
import Testing

@Suite struct AppendRouteTests {
    /// What an append by a service is refused with.
    private func refusal(_ api: LedgerAPI, _ service: Service, _ request: AppendRequest) async throws -> LogError? {
        do {
            _ = try await api.client(service).append(request)
            return nil
        } catch let error as LogError {
            return error
        }
    }

    @Test(arguments: Door.allCases)
    func `an append is answered with its place, and again with the same`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let billing = try api.client(.billing)
            let request = try Sample.append("c1", "account/a", "account/b", "account/a", expected: ["account/a": .none])
            let first = try await billing.append(request)
            #expect(first.position == 0)
            #expect(first.entries.map(\.stream.text) == ["account/a", "account/b", "account/a"])
            #expect(first.entries.map(\.version) == [0, 0, 1])
            #expect(try await billing.append(request) == first)
            let again = try await api.post("/log/v1/append", LogWire.encode(request), token: try api.token(.billing))
            #expect(again.status == 201)
            #expect(again.json["events"]?.arrayValue?.map { $0["position"] } == [0, 1, 2])
            #expect(try await billing.append(try Sample.append("c2", "account/b", expected: ["account/b": .exact(1)])).position == 3)
            #expect(api.ledger.tail.size == 4)
        }
    }

    @Test(arguments: Door.allCases)
    func `a run of appends keeps its order, and one that is refused holds back only those that rest on it`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let a = try #require(StreamName("account/a"))
            let foreign = AppendRequest(events: try Sample.command("c3", type: "model.published"))
            let requests = [
                try Sample.append("c0", "account/a", "account/b", expected: ["account/a": .none]),
                try Sample.append("c1", "account/a", expected: ["account/a": .exact(1)]), foreign,
                try Sample.append("c4", "account/a", expected: ["account/a": .exact(3)]),
                try Sample.append("c5", "account/a", expected: ["account/a": .exact(2)]),
                try Sample.append("c6", "account/b", expected: ["account/b": .exact(1)]),
                try Sample.append("c1", "account/a", expected: ["account/a": .exact(1)]),
            ]
            for client in [try api.client(.billing) as any LogClient, api.ledger.client(for: .billing)] {
                let answers = await client.append(all: requests)
                try #require(answers.count == 7)
                #expect(try answers[0].get().position == 0)
                #expect(try answers[1].get().position == 2)
                #expect(throws: LogError.self) { try answers[2].get() }
                #expect(throws: LogError.wrongVersion(stream: a, expected: .exact(3), actual: 2)) { try answers[3].get() }
                // The number is right, and it was decided on what c4 would have made.
                #expect(throws: LogError.wrongVersion(stream: a, expected: .exact(2), actual: 2)) { try answers[4].get() }
                #expect(try answers[5].get().position == 3)
                #expect(try answers[6].get() == answers[1].get())
            }
            let inRun = try await api.client(.billing).append(all: [foreign])
            let alone = await #expect(throws: LogError.self) { try await api.client(.billing).append(foreign) }
            #expect(throws: try #require(alone)) { try inRun[0].get() }
            #expect(await (try api.client(.billing)).append(all: []).isEmpty)
            #expect(api.ledger.tail.size == 4)
            for body in ["{}", #"{"appends":[]}"#, #"{"appends":[{"events":[]}],"appends":[]}"#, #"{"runs":[]}"#, #"{"appends":3}"#] {
                let answer = try await api.post("/log/v1/appends", Array(body.utf8), token: try api.token(.billing))
                #expect(answer.status == 400, "\(body): \(answer.text)")
            }
        }
    }

    @Test func `a run larger than one body goes in several, and is all there in its order`() async throws {
        try await withLedgerAPI(.socket) { api in
            let requests = try (0..<400).map { index in
                AppendRequest(
                    events: try Sample.command("big-\(index)", data: .string(String(repeating: "x", count: 60_000))),
                    expected: [try #require(StreamName("account/a")): .exact(UInt64(index))])
            }
            let answers = try await api.client(.billing).append(all: requests)
            #expect(try answers.map { try $0.get().position } == (0..<400).map { UInt64($0) })
        }
    }

    @Test(arguments: Door.allCases)
    func `each refusal comes back as the error that it was`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let a = try #require(StreamName("account/a"))
            _ = try await api.client(.billing).append(try Sample.append("c1", "account/a"))

            #expect(
                try await refusal(api, .billing, try Sample.append("c2", "account/a", expected: ["account/a": .none]))
                    == .wrongVersion(stream: a, expected: .none, actual: 1))
            #expect(
                try await refusal(api, .billing, try Sample.append("c2", "account/a", expected: ["account/a": .exact(7)]))
                    == .wrongVersion(stream: a, expected: .exact(7), actual: 1))

            let other = AppendRequest(events: try Sample.command("c1", digest: SHA256.hash(utf8: "other"), data: ["n": 2]))
            #expect(
                try await refusal(api, .billing, other)
                    == .conflict(
                        CommandConflict(
                            command: "c1", position: 0, firstDigest: SHA256.hash(utf8: "body of c1"), digest: SHA256.hash(utf8: "other"),
                            differences: ["/0/data/n"])))

            for fault in BadEvent.allCases {
                let request = try fault.request()
                let direct = await #expect(throws: LogError.self) { try await api.ledger.append(request, writer: .billing) }
                guard case .invalid(let index, let error)? = direct else {
                    Issue.record("\(fault): \(String(describing: direct))")
                    continue
                }
                #expect(error.kind == fault.kind && index == fault.index, "\(fault): \(error)")
                // Events stand in the body as they are, so one that is no JSON makes the body none.
                if fault == .noJSON { continue }
                #expect(try await refusal(api, .billing, request) == direct, "\(fault)")
            }
            #expect(
                try await refusal(api, .billing, AppendRequest(events: []))
                    == .malformed(field: "/events", reason: "no event"))
            #expect(api.ledger.tail.size == 1)
        }
    }

    @Test(arguments: Door.allCases)
    func `a body that is no append is refused and names what is wrong with it`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let token = try api.token(.billing)
            let event = String(decoding: try Sample.command("c1")[0], as: UTF8.self)
            let bodies = [
                "", "null", "[]", "{}", #"{"events":1}"#, #"{"events":[]}"#, #"{"events":[1]}"#, #"{"events":[{}]}"#, #"{"events":["x"]}"#,
                #"{"events":[\#(event)]"#, #"{"events":[\#(event)]}x"#, #"{"events":[\#(event)],"more":1}"#,
                #"{"events":[\#(event)],"events":[]}"#, #"{"events":[],"events":[\#(event)]}"#,
                #"{"events":[\#(event)],"expected":{"account/b":"any","account/b":"any"}}"#, #"{"events":[\#(event)],"expected":{"a":1}}"#,
                #"{"events":[\#(event)],"expected":{"account/a":-1}}"#, #"{"events":[\#(event)],"expected":{"account/a":"some"}}"#,
                #"{"events":[\#(event)],"expected":{"account/a":1.5}}"#, #"{"events":[\#(event)],"expected":[]}"#,
                #"{"events":[\#(event)],"cause_position":-1}"#, #"{"events":[\#(event)],"cause_position":"0"}"#,
                #"{"events":[\#(event)],"cause_position":18446744073709551616}"#,
                #"{"events":[\#(event.replacing(":", with: ": "))]}"#, String(repeating: "[", count: 5000),
                #"{"events":[\#(Array(repeating: event, count: 1025).joined(separator: ","))]}"#, "{\"events\":[\u{FEFF}]}",
            ]
            for body in bodies {
                let answer = try await api.post("/log/v1/append", Array(body.utf8), token: token)
                #expect([400, 403, 413, 422].contains(answer.status), "\(body.suffix(80)): \(answer.text.prefix(300))")
                #expect(answer.json["detail"]?.stringValue?.isEmpty == false, "\(body.prefix(80))")
            }
            let notUTF8 = try await api.post("/log/v1/append", Array(#"{"events":[""#.utf8) + [0xFF] + Array("\"]}".utf8), token: token)
            #expect(notUTF8.status == 400)
            let text = try await api.post("/log/v1/append", Array(event.utf8), token: token, type: "text/plain")
            #expect(text.status == 415)
            let large = try await api.post("/log/v1/append", [UInt8](repeating: 0x20, count: LogWire.maximumBody + 1), token: token)
            #expect(large.status == 413)
            #expect(api.ledger.tail.size == 0)
        }
    }

    @Test(arguments: Door.allCases)
    func `who is unknown gets 401, who may not gets 403, and a person never appends`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let body = LogWire.encode(try Sample.append("c1"))
            let forged = try api.token(.billing, key: try .generate())
            let elsewhere = try api.token(.billing, audience: "datanet")
            for token in [nil, "nonsense", forged, elsewhere, "olk_nonsense", String(try api.token(.billing).dropLast())] {
                let answer = try await api.post("/log/v1/append", body, token: token)
                #expect(answer.status == 401 && answer.headers["WWW-Authenticate"] != nil, "\(answer.text)")
            }
            let person = try await api.post("/log/v1/append", body, token: api.person)
            #expect(person.status == 403)
            #expect(person.problem == "forbidden")
            let foreign = try await api.post("/log/v1/append", body, token: try api.token(.training))
            #expect(foreign.status == 403)
            #expect(foreign.problem == "foreign-namespace")
            for path in ["/log/v1/events", "/log/v1/events/0", "/log/v1/streams/account/a", "/log/v1/subscribe", "/log/v1/status"] {
                #expect(try await api.get(path).status == 401, "\(path)")
                #expect(try await api.get(path, token: forged).status == 401, "\(path)")
            }
            #expect(try await api.get("/log/v1/status", token: api.person).status == 200)
            #expect(api.ledger.tail.size == 0)
        }
    }

    @Test(arguments: Door.allCases)
    func `a reaction is checked against the event that it names`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let events = try Sample.command("c1")
            _ = try await api.client(.billing).append(AppendRequest(events: events))
            let cause = try EventHeader(parsing: events[0])
            func reaction(position: UInt64?, time: Timestamp? = nil) throws -> AppendRequest {
                let event = Event(
                    type: "attribution.computed", stream: try #require(StreamName("attribution/1")), time: time ?? cause.time,
                    actor: "attribution", cause: .event(id: cause.id), ordinal: 0, correlation: cause.correlation, data: [:])
                return AppendRequest(events: [try event.encoded()], causePosition: position)
            }
            let late = try reaction(position: 0, time: Timestamp(microseconds: cause.time.microseconds + 1))
            guard case .invalid(0, let fault)? = try await refusal(api, .attribution, late) else {
                Issue.record("a reaction of another time was taken")
                return
            }
            #expect(fault.kind == .wrongTime)
            for position: UInt64? in [nil, 1, 99, .max] {
                guard case .malformed("/cause_position", _)? = try await refusal(api, .attribution, try reaction(position: position)) else {
                    Issue.record("a reaction to \(String(describing: position)) was taken, or refused for another reason")
                    continue
                }
            }
            let answer = try await api.client(.attribution).append(try reaction(position: 0))
            #expect(try await api.client(.attribution).append(try reaction(position: 0)) == answer)
            #expect(api.ledger.tail.size == 2)
        }
    }
}
