import Crypto
import EventLog
import Events
import JSON
import LedgerDomain
import Testing

@Suite struct FirstAnswerTests {
    private let now = Timestamp(microseconds: 1_795_000_000_000_000)

    private func prepared(_ data: JSONValue, body: String, streams: [String] = ["account/a"], id: String = "c", later: Int64 = 0) throws
        -> PreparedAppend
    {
        let events = try Sample.command(
            id, streams: streams, digest: SHA256.hash(utf8: body), data: data, time: Timestamp(microseconds: now.microseconds + later))
        return try PreparedAppend(AppendRequest(events: events), writer: .billing, now: now)
    }

    private func answer(_ append: PreparedAppend) -> FirstAnswer {
        let entries = append.entries.map { Appended.Entry(id: $0.id, stream: $0.stream, version: 0) }
        return FirstAnswer(append, appended: Appended(position: 9, entries: entries))
    }

    private func differences(_ first: PreparedAppend, _ now: PreparedAppend) throws -> [String] {
        guard case .conflict(let conflict)? = #expect(throws: LogError.self, performing: { try answer(first).answer(to: now) }) else {
            return []
        }
        #expect(conflict.command == "c" && conflict.position == 9)
        return conflict.differences
    }

    @Test func `the same digest gets the first answer, whatever the bytes are now`() throws {
        let first = try prepared(["n": 1], body: "same")
        let again = try answer(first).answer(
            to: try prepared(["n": 2], body: "same", streams: ["account/b", "account/c"], later: 4_000_000))
        #expect(again.position == 9 && again.entries.map(\.stream.text) == ["account/a"])
    }

    @Test func `a conflict names what differs, and not what differs every time`() throws {
        let first = try prepared(["a": ["b": [1, 2, 3]], "same": "x"], body: "one")
        let cases: [(JSONValue, [String])] = [
            (["a": ["b": [1, 5, 3]], "same": "x"], ["/0/data/a/b/1"]), (["a": ["b": [1, 2]], "same": "x"], ["/0/data/a/b"]),
            (["a": ["b": [1, 2, 3]], "same": "x", "more": .null], ["/0/data/more"]), (["same": "x"], ["/0/data/a"]),
            (["a": "b", "same": 1], ["/0/data/a", "/0/data/same"]), ("text", ["/0/data"]),
        ]
        for (data, places) in cases {
            #expect(try differences(first, try prepared(data, body: "two", later: 1_000_000)).sorted() == places)
        }
        let more = try prepared(["a": ["b": [1, 2, 3]], "same": "x"], body: "two", streams: ["account/a", "account/a"])
        #expect(try differences(first, more) == ["/1"])
        #expect(try differences(more, first) == ["/1"])
    }

    @Test func `at most sixteen differences are named`() throws {
        func object(_ value: Int64) -> JSONValue { .object(JSONObject((0..<100).map { ("k\($0)", .int(value)) })) }
        #expect(try differences(try prepared(object(1), body: "one"), try prepared(object(2), body: "two")).count == 16)
    }

    @Test func `the answer is rebuilt from the log alone`() throws {
        let append = try prepared(["n": 1], body: "b", streams: ["account/a", "account/b", "account/a"])
        let next = try prepared(["n": 1], body: "b", id: "d")
        let versions: [UInt64] = [5, 0, 6]
        var logged = zip(append.entries, versions).enumerated().map { index, pair in
            LoggedEvent(position: UInt64(40 + index), version: pair.1, bytes: pair.0.bytes)
        }
        logged.append(LoggedEvent(position: 43, version: 0, bytes: next.entries[0].bytes))
        let rebuilt = try #require(FirstAnswer(events: logged))
        #expect(rebuilt.appended.position == 40 && rebuilt.appended.entries.map(\.version) == versions)
        #expect(rebuilt.appended.entries.map(\.id) == append.entries.map(\.id))
        #expect(try rebuilt.answer(to: append) == rebuilt.appended)
        #expect(FirstAnswer(events: []) == nil)
        #expect(FirstAnswer(events: [LoggedEvent(position: 0, version: 0, bytes: [0x7B, 0x7D])]) == nil)
    }
}
