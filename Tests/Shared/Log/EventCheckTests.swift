import Crypto
import EventLog
import Events
import JSON
import TestSupport
import Testing

/// The check that makes no text must take what the reader of headers takes, to the byte.
@Suite struct EventCheckTests {
    static func accepts(_ bytes: [UInt8]) -> Bool { (try? EventCheck().fields(of: bytes.span)) != nil }

    @Test func `generated events are taken, and their parts lie where the header says`() throws {
        var random = Seed.generator()
        var check = EventCheck()
        for event in try AuditFixture.events(500, &random) {
            let header = try EventHeader(parsing: event)
            let fields = try check.fields(of: event.span)
            #expect(String(decoding: event[fields.id], as: UTF8.self) == header.id.text)
            #expect(String(decoding: event[fields.type], as: UTF8.self) == header.type)
            #expect(String(decoding: event[fields.causeID], as: UTF8.self) == header.cause.id)
            let ordinal = try #require((0..<6).first { EventID(cause: header.cause.id, type: header.type, ordinal: $0) == header.id })
            let (right, wrong) = (
                check.hasID(fields, ordinal: ordinal, in: event.span), check.hasID(fields, ordinal: ordinal + 1, in: event.span)
            )
            #expect(right && !wrong)
        }
    }

    @Test func `altered events are refused by both or by neither`() throws {
        var random = Seed.generator()
        let events = try AuditFixture.events(200, &random)
        let pieces = [
            "\"", "\\", "{", "}", ",", ":", "\\u0041", "\\n", "é", "0", "-1", "1.5", " ", "\"v\":1", "\"x\":1,", "null", "[", "]", "a", ".",
            "/",
        ].map { Array($0.utf8) }
        var taken = 0
        for round in 0..<6_000 {
            var event = events[round % events.count]
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let at = Int.random(in: 0..<event.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: event[at] = UInt8.random(in: 0...255, using: &random)
                case 1: event.remove(at: at)
                case 2: event.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
                default:
                    event.replaceSubrange(
                        at..<min(at + Int.random(in: 1...9, using: &random), event.count), with: pieces.randomElement(using: &random) ?? [])
                }
            }
            let expected = (try? EventHeader(parsing: event)) != nil
            #expect(Self.accepts(event) == expected, "\(String(decoding: event, as: UTF8.self)) seed \(random.seed)")
            taken += expected ? 1 : 0
        }
        // Some alterations leave an event, or this would show nothing.
        #expect(taken > 100)
    }

    @Test(arguments: [
        ("\"actor\":\"alice\"", "\"actor\":\"\""), ("\"v\":1", "\"v\":0"), ("\"v\":1", "\"v\":\"1\""),
        ("\"type\":\"hold.placed\"", "\"type\":\"hold\""),
        ("\"type\":\"hold.placed\"", "\"type\":\"hold.placed.x\""), ("\"stream\":\"hold/h\"", "\"stream\":\"hold\""),
        ("\"data\":{}", "\"data\":{},\"extra\":1"),
        (",\"data\":{}", ""), ("\"digest\":\"sha256:", "\"digest\":\"sha512:"), ("\"command\":\"c\"", "\"command\":\"\""),
        (".000001Z", ".000001+00:00"),
    ])
    func `a field that is not of its form is refused`(from: String, to: String) throws {
        let event = try Event(
            type: "hold.placed", stream: try #require(StreamName("hold/h")), time: Timestamp(microseconds: 1), actor: "alice",
            cause: .command(id: "c", digest: SHA256.hash([])), ordinal: 0, correlation: "t", data: [:]
        ).encoded()
        let text = String(decoding: event, as: UTF8.self)
        let altered = Array(text.replacing(from, with: to).utf8)
        #expect(altered != event)
        #expect(Self.accepts(event) && !Self.accepts(altered))
        #expect(throws: EventError.self) { try EventHeader(parsing: altered) }
    }
}
