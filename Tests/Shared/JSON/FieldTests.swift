import JSON
import Testing

@Suite("Fields of a request body")
struct FieldTests {
    private let body: JSONValue = [
        "name": "Ada", "count": 3, "half": 0.5, "yes": true, "none": nil, "sub": ["x/y": ["deep": 1]], "list": ["a", 2], "empty": "",
    ]

    @Test("values of the right type are read")
    func values() throws {
        let fields = try body.object()
        #expect(try fields.string("name") == "Ada")
        #expect(try fields.int("count", in: 0...3) == 3)
        #expect(try fields.optionalDouble("half") == 0.5)
        #expect(try fields.optionalDouble("count") == 3)
        #expect(try fields.bool("yes"))
        #expect(try fields.optionalString("none") == nil)
        #expect(try fields.optionalInt("absent") == nil)
        #expect(try fields.object("sub").object("x/y").int("deep") == 1)
        #expect(try fields.array("list")[0].string() == "a")
        #expect(try fields.optionalObject("absent") == nil as JSONFields?)
        try fields.refuseUnknown(keys: ["name", "count", "half", "yes", "none", "sub", "list", "empty"])
    }

    @Test("a wrong value names its place and the reason")
    func errors() throws {
        let fields = try body.object()
        func error(_ body: () throws -> Void) -> String? { #expect(throws: JSONFieldError.self, performing: body).map(\.description) }
        #expect(error { _ = try fields.string("count") } == "/count must be a string, is an integer")
        #expect(error { _ = try fields.string("absent") } == "/absent is missing")
        #expect(error { _ = try fields.string("none") } == "/none must be a string, is null")
        #expect(error { _ = try fields.string("empty", bytes: 1...9) } == "/empty must not be empty")
        #expect(error { _ = try fields.string("name", bytes: 1...2) } == "/name must have at most 2 bytes, has 3")
        #expect(error { _ = try fields.int("count", in: 5...9) } == "/count must be from 5 to 9, is 3")
        #expect(error { _ = try fields.int("half") } == "/half must be an integer, is a number with a fraction or exponent")
        #expect(error { _ = try fields.object("sub").object("x/y").string("deep") } == "/sub/x~1y/deep must be a string, is an integer")
        #expect(error { _ = try fields.array("list")[1].string() } == "/list/1 must be a string, is an integer")
        #expect(error { _ = try fields.array("list", count: 3...4) } == "/list must have from 3 to 4 elements, has 2")
        #expect(error { try fields.refuseUnknown(keys: ["name"]) } == "/count is not known here; known are name")
        #expect(error { _ = try JSONValue.array([]).object() } == "the document must be an object, is an array")
    }
}
