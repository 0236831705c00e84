import HTTPClient
import Testing

/// WHATWG HTML §9.2, rule by rule.
@Suite struct EventStreamRules {
    private func events(_ text: String) throws -> [ServerSentEvents.Event] {
        var parser = ServerSentEventParser()
        return try parser.feed(Array(text.utf8))
    }

    private func event(_ data: String, id: String = "", type: String = "message", retry: Duration? = nil) -> ServerSentEvents.Event {
        ServerSentEvents.Event(id: id, event: type, data: data, retry: retry)
    }

    @Test func oneDataLineIsOneEvent() throws {
        #expect(try events("data: hello\n\n") == [event("hello")])
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func everyLineEndCounts(end: String) throws {
        let text = ["data: a", "data: b", "", "id: 7", "data: c", "", ""].joined(separator: end)
        #expect(try events(text) == [event("a\nb"), event("c", id: "7")])
    }

    @Test func mixedLineEndsAreNotEmptyLines() throws {
        #expect(try events("data: a\r\ndata: b\rdata: c\n\r\n") == [event("a\nb\nc")])
    }

    @Test func carriageReturnAndLineFeedInTwoPiecesAreOneLineEnd() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("data: a\r".utf8)) == [])
        #expect(try parser.feed(Array("\ndata: b\r".utf8)) == [])
        #expect(try parser.feed([]) == [])
        #expect(try parser.feed(Array("\n\r".utf8)) == [event("a\nb")])
        #expect(try parser.feed(Array("\ndata: c\n\n".utf8)) == [event("c")])
    }

    @Test func aByteOrderMarkIsPassedOverOnlyAtTheStart() throws {
        #expect(try events("\u{FEFF}data: a\n\n") == [event("a")])
        #expect(try events("data: a\n\n\u{FEFF}data: b\n\n") == [event("a")])
        #expect(try events("\u{FEFF}\u{FEFF}data: a\n\n") == [])
    }

    @Test func onlyOneSpaceBehindTheColonIsTaken() throws {
        #expect(try events("data:  a \n\n") == [event(" a ")])
        #expect(try events("data:a\n\n") == [event("a")])
        #expect(try events("data:\ta\n\n") == [event("\ta")])
    }

    @Test func commentsAndUnknownFieldsAreIgnored() throws {
        #expect(try events(": keep alive\n:\ndata: a\nfoo: bar\nDATA: x\n data: y\n\n") == [event("a")])
    }

    @Test func aFieldWithoutColonHasAnEmptyValue() throws {
        #expect(try events("data\n\n") == [event("")])
        #expect(try events("data\ndata\n\n") == [event("\n")])
        #expect(try events("data: a\nevent\n\n") == [event("a")])
    }

    @Test func aBlockWithoutDataDispatchesNothingAndForgetsItsType() throws {
        #expect(try events("event: x\n\ndata: a\n\n") == [event("a")])
    }

    @Test func theLastOfSeveralTypesAndIdsCounts() throws {
        #expect(try events("event: x\nevent: y\nid: 1\nid: 2\ndata: a\n\n") == [event("a", id: "2", type: "y")])
    }

    @Test func anIdHoldsUntilTheNextOne() throws {
        #expect(try events("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n") == [event("a", id: "1"), event("b", id: "1"), event("c")])
    }

    @Test func anIdOfABlockWithoutDataHoldsToo() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("id: 9\n".utf8)) == [])
        #expect(parser.lastEventID == "")
        #expect(try parser.feed(Array("\n".utf8)) == [])
        #expect(parser.lastEventID == "9")
    }

    @Test func anIdWithNulIsIgnored() throws {
        #expect(try events("id: 1\ndata: a\n\nid: 2\u{0}3\ndata: b\n\n") == [event("a", id: "1"), event("b", id: "1")])
    }

    @Test(arguments: [("1500", 1500), ("0", 0), ("007", 7)])
    func retryIsDigitsOnly(text: String, milliseconds: Int) throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("retry: \(text)\ndata: a\n\n".utf8)) == [event("a", retry: .milliseconds(milliseconds))])
        #expect(parser.reconnectionTime == .milliseconds(milliseconds))
        #expect(try parser.feed(Array("data: b\n\n".utf8)) == [event("b")])
    }

    @Test(arguments: ["", "-1", "1.5", "1s", "٣", "99999999999999999999999"])
    func retryOfAnythingElseIsIgnored(text: String) throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("retry: \(text)\ndata: a\n\n".utf8)) == [event("a")])
        #expect(parser.reconnectionTime == nil)
    }

    @Test func anEventThatTheStreamCutsOffIsNotDispatched() throws {
        #expect(try events("data: a\n\ndata: b\n") == [event("a")])
        #expect(try events("data: a\n\ndata: b") == [event("a")])
    }

    @Test func brokenTextIsReplacedNotRefused() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("data: ".utf8) + [0xFF] + Array("a\n\n".utf8)) == [event("\u{FFFD}a")])
    }

    @Test func aLineTooLongEndsTheStreamBeforeItIsKept() throws {
        var parser = ServerSentEventParser(maximumLineBytes: 10)
        #expect(try parser.feed(Array("data: 1234\n\n".utf8)) == [event("1234")])
        #expect(throws: ServerSentEventError.lineTooLong(limit: 10)) { try parser.feed(Array("data: 12345".utf8)) }
        var slow = ServerSentEventParser(maximumLineBytes: 10)
        #expect(throws: ServerSentEventError.lineTooLong(limit: 10)) {
            for byte in ": a comment".utf8 { _ = try slow.feed([byte]) }
        }
    }

    @Test func anEventTooLongEndsTheStream() throws {
        var parser = ServerSentEventParser(maximumEventBytes: 8)
        #expect(try parser.feed(Array("data: 1234567\n\n".utf8)) == [event("1234567")])
        #expect(throws: ServerSentEventError.eventTooLong(limit: 8)) { try parser.feed(Array("data: 1234\ndata: 5678\n".utf8)) }
        var empty = ServerSentEventParser(maximumEventBytes: 8)
        #expect(throws: ServerSentEventError.eventTooLong(limit: 8)) {
            try empty.feed(Array(String(repeating: "data\n", count: 10).utf8))
        }
    }

    @Test(arguments: 0..<200)
    func whereTheBytesAreCutDoesNotMatter(seed: UInt64) throws {
        var random = Seeded(seed)
        let words = ["data", "data: ", "data: x", "id: ", "id: 4", "event: t", "retry: 5", ": c", "é", "\u{FEFF}", "x", ":", "\u{0}"]
        let ends = ["\n", "\r", "\r\n", "", "\n\n"]
        var text = ""
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            text += words.randomElement(using: &random)! + ends.randomElement(using: &random)!
        }
        let bytes = Array(text.utf8)
        var whole = ServerSentEventParser(), cut = ServerSentEventParser()
        let expected = try whole.feed(bytes)
        var found: [ServerSentEvents.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...5, using: &random))
            found += try cut.feed(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        #expect(found == expected, "seed \(seed), text \(text.debugDescription)")
        #expect(cut.lastEventID == whole.lastEventID && cut.reconnectionTime == whole.reconnectionTime, "seed \(seed)")
    }
}
