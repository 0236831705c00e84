import Crypto
import EventLog
import Events
import JSON
import LedgerDomain
import Testing

@Suite struct PreparedAppendTests {
    private let now = Timestamp(microseconds: 1_795_000_000_000_000)

    @Test(arguments: BadEvent.allCases.filter { $0 != .late })
    func `an event that can't stand on the log is named with its fault`(event: BadEvent) throws {
        let error = #expect(throws: LogError.self) { try PreparedAppend(try event.request(now: now), writer: .billing, now: now) }
        guard case .invalid(let index, let fault)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(fault.kind == event.kind && index == event.index, "\(fault)")
        #expect(!fault.reason.isEmpty)
    }

    @Test func `all kinds of fault are tried`() {
        let kinds: [EventError.Kind] = [
            .tooLarge, .notCanonical, .malformed, .wrongID, .unknownType, .unknownVersion, .foreignNamespace, .wrongTime, .mixedCause,
        ]
        #expect(Set(BadEvent.allCases.map(\.kind)) == Set(kinds))
    }

    @Test func `a command's time may be five seconds from the clock, and no more`() throws {
        for (away, isLate) in [(0, false), (5_000_000, false), (-5_000_000, false), (5_000_001, true), (-5_000_001, true)]
            as [(Int64, Bool)]
        {
            let request = AppendRequest(
                events: try Sample.command("c", time: Timestamp(microseconds: now.microseconds + away)))
            let append = try PreparedAppend(request, writer: .billing, now: now)
            #expect((append.lateness != nil) == isLate, "\(away)")
            var plan = BatchPlan(size: 0)
            if case .accepted = plan.decide(append) { #expect(!isLate) } else { #expect(isLate) }
        }
    }

    @Test func `an append has 1 to 1024 events and names at most as many streams`() throws {
        let many = AppendRequest(events: try Sample.command("c", streams: Array(repeating: "account/a", count: 1_024), time: now))
        #expect(try PreparedAppend(many, writer: .billing, now: now).entries.count == 1_024)
        for request in [
            AppendRequest(events: []),
            AppendRequest(events: try Sample.command("c", streams: Array(repeating: "account/a", count: 1_025), time: now)),
        ] {
            guard
                case .malformed("/events", _)? = #expect(
                    throws: LogError.self, performing: { try PreparedAppend(request, writer: .billing, now: now) })
            else {
                Issue.record("taken")
                return
            }
        }
        let streams = (0..<1_025).compactMap { StreamName("account/\($0)") }.map { ($0, ExpectedVersion.any) }
        let wide = AppendRequest(events: try Sample.command("c", time: now), expected: Dictionary(uniqueKeysWithValues: streams))
        guard
            case .malformed("/expected", _)? = #expect(
                throws: LogError.self, performing: { try PreparedAppend(wide, writer: .billing, now: now) })
        else {
            Issue.record("taken")
            return
        }
    }

    @Test func `what the store knows a command by differs by service, kind and id, and by nothing else`() throws {
        let id = EventID(cause: "x", type: "y", ordinal: 0)
        let digest = SHA256.hash(utf8: "d")
        let causes: [Cause] = [.command(id: "a", digest: digest), .command(id: id.text, digest: digest), .event(id: id)]
        let keys = Service.allCases.flatMap { service in causes.map { $0.key(writer: service) } }
        #expect(Set(keys).count == keys.count)
        #expect(Cause.command(id: "a", digest: SHA256.hash(utf8: "e")).key(writer: .billing) == causes[0].key(writer: .billing))
        let key = causes[0].key(writer: .billing)
        #expect(Key128(bytes: key.bytes) == key)
        #expect(key.bytes == Array(SHA256.hash(utf8: "billing\ncommand\na").bytes.prefix(16)))
        #expect(Key128(bytes: [1]) == nil)
    }

    @Test func `a reaction has the id and time of what it reacts to, whatever the clock says`() throws {
        let events = try Sample.command("c", time: now)
        let header = try EventHeader(parsing: events[0])
        func reaction(to id: EventID, time: Timestamp, position: UInt64? = 3) throws -> PreparedAppend {
            let event = Event(
                type: "attribution.computed", stream: try #require(StreamName("attribution/1")), time: time, actor: "a",
                cause: .event(id: id),
                ordinal: 0, correlation: "c", data: [:])
            return try PreparedAppend(
                AppendRequest(events: [try event.encoded()], causePosition: position), writer: .attribution,
                now: Timestamp(microseconds: now.microseconds + 86_400_000_000))
        }
        let cause = LoggedEvent(position: 3, version: 0, bytes: events[0])
        let right = try reaction(to: header.id, time: now)
        #expect(right.lateness == nil)
        try right.check(reactingTo: cause)
        #expect(throws: LogError.self) { try right.check(reactingTo: nil) }
        #expect(throws: LogError.self) { try right.check(reactingTo: LoggedEvent(position: 3, version: 0, bytes: [0x7B])) }
        #expect(throws: LogError.self) {
            try reaction(to: header.id, time: Timestamp(microseconds: now.microseconds + 1)).check(reactingTo: cause)
        }
        #expect(throws: LogError.self) { try reaction(to: EventID(cause: "z", type: "z", ordinal: 0), time: now).check(reactingTo: cause) }
        #expect(throws: LogError.self) { try reaction(to: header.id, time: now, position: nil) }
    }
}
