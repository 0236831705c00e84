import Testing

@testable import Web

@Suite struct QueryTests {
    private let declared = [
        QueryParameter("limit", .integer(1...100), "x"), QueryParameter("after", .text(1...10), "x"),
        QueryParameter("full", .boolean, "x"), QueryParameter("tag", .text, "x", repeated: true),
    ]

    private func query(_ raw: String?) throws -> Query { try Query(raw.map { $0[...] }, declared: declared) }

    @Test func valuesAreDecodedAndTyped() throws {
        let query = try query("limit=5&after=a%20b+c&full=true&tag=1&tag=2&")
        #expect(query.integer("limit") == 5)
        #expect(query.string("after") == "a b c")
        #expect(query.boolean("full") == true)
        #expect(query.strings("tag") == ["1", "2"])
        #expect(try self.query(nil).integer("limit") == nil)
        #expect(try self.query("").string("after") == nil)
    }

    @Test(arguments: [
        ("limt=5", "limt"), ("limit=0", "limit"), ("limit=101", "limit"), ("limit=+5", "limit"), ("limit=05", "limit"), ("limit=", "limit"),
        ("limit", "limit"), ("limit=1&limit=2", "limit"), ("full=1", "full"), ("after=", "after"), ("after=12345678901", "after"),
        ("after=%00", "after"), ("after=%ff", "after"), ("Limit=5", "Limit"),
    ])
    func whatDoesNotFitNamesTheParameter(raw: String, field: String) {
        let problem = #expect(throws: Problem.self) { try query(raw) }
        #expect(problem?.type == .badQuery)
        #expect(problem?.field == field)
    }

    @Test func everyFaultIsTold() {
        let problem = #expect(throws: Problem.self) { try query("a=1&b=2&limit=x") }
        #expect(problem?.errors.map(\.field) == ["a", "b", "limit"])
        #expect(problem?.detail.contains("this route takes limit, after, full, tag") == true)
    }

    @Test func aMissingRequiredParameterIsTold() {
        let problem = #expect(throws: Problem.self) { try Query(nil, declared: [QueryParameter("q", .text, "x", required: true)]) }
        #expect(problem?.errors == [.init(field: "q", detail: "is missing")])
    }

    @Test func tooManyParametersAreRefused() throws {
        _ = try query(Array(repeating: "tag=1", count: 64).joined(separator: "&"))
        #expect(throws: Problem.self) { try query(Array(repeating: "tag=1", count: 65).joined(separator: "&")) }
    }
}
