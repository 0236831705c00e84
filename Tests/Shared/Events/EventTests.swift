import Crypto
import Events
import JSON
import TestSupport
import Testing

@Suite struct EventTests {
    static func event(
        actor: String = "ann", correlation: String = "0af7651916cd43dd8448eb211c80319c",
        data: JSONValue = ["amount": "10", "asset": "USDC/6"],
        cause: Cause = .command(id: "pay-1", digest: SHA256.hash(utf8: "body"))
    ) throws -> Event {
        Event(
            type: "deposit.received", stream: try #require(StreamName("account/acme")),
            time: try #require(Timestamp("2026-11-21T10:55:00.000001Z")),
            actor: actor, cause: cause, ordinal: 0, correlation: correlation, data: data)
    }

    @Test func `an event's bytes are these`() throws {
        let bytes = try Self.event().encoded()
        let digest = SHA256.hash(utf8: "body").prefixed
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"actor":"ann","cause":{"command":"pay-1","digest":"\#(digest)"},"correlation":"0af7651916cd43dd8448eb211c80319c","#
                + #""data":{"amount":"10","asset":"USDC/6"},"id":"fb719f8e-a519-8925-894f-f87d35e3ca01","stream":"account/acme","#
                + #""time":"2026-11-21T10:55:00.000001Z","type":"deposit.received","v":1}"#)
    }

    @Test func `what goes in comes out, escaped characters too`() throws {
        let odd = [
            "a\"b\\c", "line\nfeed\ttab", "\u{1}\u{1F}", "ü €", "😀", "e\u{301}", "/", "\u{2028}", String(repeating: "\"", count: 200),
        ]
        for text in odd {
            let bytes = try Self.event(actor: text, correlation: text, data: ["text": .string(text)]).encoded()
            let header = try EventHeader(parsing: bytes)
            #expect(header.actor.utf8.elementsEqual(text.utf8) && header.correlation.utf8.elementsEqual(text.utf8), "\(text)")
            #expect(try JSON.parse(Array(bytes[header.data])) == ["text": .string(text)])
            #expect(header.type == "deposit.received" && header.noun == "deposit" && header.version == 1)
            #expect(header.cause == .command(id: "pay-1", digest: SHA256.hash(utf8: "body")))
        }
        let cause = EventID(cause: "x", type: "y", ordinal: 3)
        #expect(try EventHeader(parsing: Self.event(cause: .event(id: cause)).encoded()).cause == .event(id: cause))
    }

    @Test func `actor and correlation have 1 to 200 bytes`() throws {
        for bad in ["", String(repeating: "x", count: 201), String(repeating: "ü", count: 101)] {
            for event in [try Self.event(actor: bad), try Self.event(correlation: bad)] {
                let fault = #expect(throws: EventError.self) { try EventHeader(parsing: event.encoded()) }
                #expect(fault?.kind == .malformed)
            }
        }
    }

    @Test func `the largest event has 65535 bytes`() throws {
        let rest = try Self.event(data: "").encoded().count
        let fits = try Self.event(data: .string(String(repeating: "x", count: Event.maximumBytes - rest))).encoded()
        #expect(fits.count == 65_535)
        _ = try EventHeader(parsing: fits)
        let fault = #expect(throws: EventError.self) {
            try Self.event(data: .string(String(repeating: "x", count: Event.maximumBytes - rest + 1))).encoded()
        }
        #expect(fault?.kind == .tooLarge)
        let parsed = #expect(throws: EventError.self) { try EventHeader(parsing: fits + [0x20]) }
        #expect(parsed?.kind == .tooLarge)
    }

    @Test func `fractions, exponents and whole numbers that a double can't hold are refused`() throws {
        for number in ["1.5", "1e3", "1E3", "-0", "1.0", "9007199254740993", "1e400", "01", "+1", "NaN"] {
            let text = String(decoding: try Self.event(data: 7).encoded(), as: UTF8.self).replacing(
                "\"data\":7", with: "\"data\":\(number)")
            let fault = #expect(throws: EventError.self, "\(number)") { try EventHeader(parsing: Array(text.utf8)) }
            #expect(fault?.kind == .notCanonical, "\(number)")
        }
    }

    @Test func `data may be nested 31 deep and no deeper`() throws {
        func nested(_ depth: Int) throws -> [UInt8] {
            let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return Array(
                String(decoding: try Self.event(data: 7).encoded(), as: UTF8.self).replacing("\"data\":7", with: "\"data\":" + deep).utf8)
        }
        _ = try EventHeader(parsing: nested(31))
        #expect(throws: EventError.self) { try EventHeader(parsing: nested(32)) }
        #expect(throws: EventError.self) { try EventHeader(parsing: nested(20_000)) }
    }

    @Test func `a field that is missing, moved, doubled, unknown or of another type is refused`() throws {
        let value = try JSON.parse(try Self.event().encoded())
        let fields = try #require(value.objectValue)
        for key in fields.keys {
            var without = fields
            without[key] = nil
            #expect(throws: EventError.self, "without \(key)") { try EventHeader(parsing: JSON.canonical(.object(without))) }
            for other: JSONValue in [.null, true, 1, 2, "", "x", [], [:], ["event": 1], ["command": "x"], ["command": "", "digest": ""]] {
                if key == "data" || (key == "v" && other.intValue != nil) || ["actor", "correlation"].contains(key) && other == "x" {
                    continue
                }
                var with = fields
                with[key] = other
                #expect(throws: EventError.self, "\(key): \(other)") { try EventHeader(parsing: JSON.canonical(.object(with))) }
            }
        }
        for extra in ["a", "b", "d", "e", "z", "ac", "causes", "\u{1}"] {
            var with = fields
            with[extra] = 1
            #expect(throws: EventError.self, "with \(extra)") { try EventHeader(parsing: JSON.canonical(.object(with))) }
        }
        let text = String(decoding: try Self.event().encoded(), as: UTF8.self)
        #expect(throws: EventError.self) { try EventHeader(parsing: Array(text.replacing("\"v\":1}", with: "\"v\":1,\"v\":1}").utf8)) }
        for bytes: [UInt8] in [[], [0x7B], [0x7B, 0x7D], Array("[]".utf8), Array("null".utf8), Array("\"x\"".utf8), [0xEF, 0xBB, 0xBF]] {
            #expect(throws: EventError.self) { try EventHeader(parsing: bytes) }
        }
    }

    @Test func `of mutated bytes exactly those are events that the rules make events`() throws {
        var random = Seed.generator()
        let seeds = try [
            Self.event(), Self.event(actor: "a\"\\ü", data: ["a": [1, .null, true], "b": ["c": "}],\\\""]]),
            Self.event(data: [], cause: .event(id: EventID(cause: "x", type: "y", ordinal: 0))),
        ].map { try $0.encoded() }
        var accepted = 0
        for round in 0..<6_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...2, using: &random) { Self.mutate(&bytes, &random) }
            let header = try? EventHeader(parsing: bytes)
            #expect(
                (header != nil) == Self.isEvent(bytes), "seed \(random.seed), round \(round): \(String(decoding: bytes, as: UTF8.self))")
            guard let header else { continue }
            accepted += 1
            let value = try JSON.parse(bytes)
            #expect(value["actor"]?.stringValue == header.actor && value["id"]?.stringValue == header.id.text)
            #expect(value["stream"]?.stringValue == header.stream.text && value["time"]?.stringValue == header.time.description)
            #expect(value["data"] == (try JSON.parse(Array(bytes[header.data]))))
            #expect(value["cause"]?["command"]?.stringValue ?? value["cause"]?["event"]?.stringValue == header.cause.id)
        }
        #expect(accepted > 300, "the mutations hit only what breaks: \(accepted)")
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let pieces = [
            "\"", "\\", "\\n", "\\u0001", "{", "}", "[", "]", ",", ":", "0", "9", "-", " ", "é", "a", "Z", "null", "1.5", "\"v\":1",
        ]
        let piece = Array((pieces.randomElement(using: &random) ?? "x").utf8)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0x61...0x7A, using: &random)
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(contentsOf: piece, at: place)
        case 4: bytes[place] ^= 1
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
    }

    /// The rules once more, by another way: the value is read, looked at, and written again.
    private static func isEvent(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= 65_535, let value = try? JSON.parse(bytes), case .object(let object) = value,
            (try? JSON.canonical(value, allowFractions: false)) == bytes,
            object.keys.sorted() == ["actor", "cause", "correlation", "data", "id", "stream", "time", "type", "v"],
            let actor = value["actor"]?.stringValue, let correlation = value["correlation"]?.stringValue, let id = value["id"]?.stringValue,
            let stream = value["stream"]?.stringValue, let time = value["time"]?.stringValue, let type = value["type"]?.stringValue,
            let version = value["v"]?.intValue, let cause = value["cause"]?.objectValue
        else { return false }
        func isCommand(_ text: String?) -> Bool {
            text?.wholeMatch(of: /[\u{21}-\u{7E}]{1,200}/) != nil && text?.contains(/["\\]/) == false
        }
        let causeHolds =
            cause.keys == ["command", "digest"]
            && isCommand(cause["command"]?.stringValue) && cause["digest"]?.stringValue?.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil
            || cause.keys == ["event"] && cause["event"]?.stringValue?.wholeMatch(of: uuid) != nil
        return causeHolds && (1...200).contains(actor.utf8.count) && (1...200).contains(correlation.utf8.count) && version >= 1
            && id.wholeMatch(of: uuid) != nil && Timestamp(time)?.description == time && type.utf8.count <= 100
            && type.wholeMatch(of: /[a-z0-9\-]+\.[a-z0-9\-]+/) != nil && stream.utf8.count <= 200
            && stream.wholeMatch(of: /[a-z0-9\-]+\/[\u{21}-\u{7E}]+/) != nil && !stream.contains(/["\\]/)
            && !stream.split(separator: "/", omittingEmptySubsequences: false).contains { ["", ".", ".."].contains($0) }
    }

    private static var uuid: Regex<Substring> { /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/ }
}
