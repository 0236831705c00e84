import HTTP
import Testing

@testable import HTTPClient

@Suite struct ResponseHeadRules {
    private func parse(_ lines: [String]) throws -> ResponseHead? {
        var parser = ResponseHeadParser()
        var found: ResponseHead?
        for line in lines {
            let bytes = Array((line + "\r\n").utf8)
            if let head = try bytes.withUnsafeBufferPointer({ try parser.take($0) }) {
                #expect(found == nil)
                found = head
            }
        }
        return found
    }

    @Test func linesBecomeAHead() throws {
        let head = try #require(try parse(["HTTP/1.1 201 Created", "A: 1", "b:2 ", "A:\t3", "Empty:", ""]))
        #expect(head.status == 201)
        #expect(head.headers.all("a") == ["1", "3"] && head.headers["B"] == "2" && head.headers["empty"] == "")
        #expect(head.headers.count == 4)
    }

    @Test func interimAnswersArePassedOver() throws {
        let head = try #require(try parse(["HTTP/1.1 103 Early Hints", "Link: x", "", "HTTP/1.1 200 OK", "A: 1", ""]))
        #expect(head.status == 200 && head.headers["Link"] == nil)
    }

    @Test func trailersAreNotTheHead() throws {
        let head = try #require(try parse(["HTTP/1.1 200 OK", "", "Trailer-Field: 1", ""]))
        #expect(head.headers.count == 0)
    }

    @Test func foldedLinesGoOnWithTheValueBefore() throws {
        let head = try #require(try parse(["HTTP/1.1 200 OK", " stray", "A: 1", "  2", "\t3", "B: x", ""]))
        #expect(head.headers["A"] == "1 2 3" && head.headers["B"] == "x" && head.headers.count == 2)
    }

    @Test(arguments: ["HTTP/1.1", "HTTP/1.1 2x0 OK", "HTTP/1.1 20"])
    func aStatusLineWithoutAStatusIsRefused(line: String) {
        #expect(throws: HTTPClientError.self) { try parse([line, ""]) }
    }

    @Test func aHeadWithoutEndIsRefused() {
        #expect(throws: HTTPClientError.self) {
            try parse(["HTTP/1.1 200 OK"] + (0..<300).map { "X-\($0): " + String(repeating: "x", count: 1000) })
        }
    }
}
