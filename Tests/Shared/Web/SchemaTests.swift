import JSON
import Testing

@testable import Web

@Suite struct SchemaTests {
    private let order = Schema.object(
        .required("id", .text(.uuid)), .required("lines", .array(.object(.required("n", .integer(1...9))), count: 1...3)),
        .optional("note", .nullable(.text(0...5))), .optional("a/b~c d", .boolean))

    private func faults(_ schema: Schema, _ text: String) throws -> [String] {
        schema.faults(in: try JSON.parse(text)).map { "\($0.field) \($0.detail)" }
    }

    @Test func whatFitsHasNoFaults() throws {
        #expect(try faults(order, #"{"id":"8e03978e-40d5-43dd-bc93-6894a57f9324","lines":[{"n":1}],"note":null,"a/b~c d":true}"#) == [])
        #expect(try faults(.map(.number, maximum: 2), #"{"x":1,"y":1.5}"#) == [])
        #expect(try faults(.anyOf([.boolean, .text]), #""x""#) == [])
        #expect(try faults(.any, "[[[]]]") == [])
    }

    @Test func everyFaultNamesItsPlace() throws {
        #expect(
            try faults(order, #"{"id":"8E","lines":[{"n":1},{"n":10},{"m":1}],"note":"abcdef","a/b~c d":1,"x":2}"#) == [
                "#/id must be a UUID in lower case", "#/lines/1/n must be a whole number from 1 to 9", "#/lines/2/n is missing",
                "#/lines/2/m is not known here", "#/note must have 0 to 5 characters, not 6",
                "#/a~1b~0c%20d must be true or false, not an integer", "#/x is not known here",
            ])
        #expect(try faults(order, "[]") == ["# must be an object, not an array"])
        #expect(try faults(.list(.any, atMost: 1), "[1,2]") == ["# must have 0 to 1 items, not 2"])
        #expect(try faults(.integer(0...5), "1.0").count == 1)
        #expect(try faults(.map(.any, maximum: 1), #"{"a":1,"b":2}"#).count == 1)
        #expect(try faults(.anyOf([.boolean, .text]), "1").count == 1)
        #expect(try faults(.oneOf("a", "b"), #""c""#) == ["# must be one of a, b"])
    }

    @Test func thereIsAnEndToFaults() throws {
        let list = "[" + Array(repeating: "\"x\"", count: 900).joined(separator: ",") + "]"
        #expect(try faults(.list(.boolean), list).count == Schema.maximumFaults)
    }

    @Test(arguments: [
        (TextFormat.time, "2026-11-21T11:08:30Z", true), (.time, "2026-11-21T11:08:30.5Z", true), (.time, "2026-11-21T11:08:30.Z", false),
        (.time, "2026-11-21 11:08:30Z", false), (.time, "2026-11-21T11:08:30+01:00", false), (.time, "Z", false),
        (.decimal, "0", true), (.decimal, "-12", true), (.decimal, "-0", false), (.decimal, "01", false), (.decimal, "", false),
        (.decimal, "-", false), (.decimal, "1.0", false), (.decimal, "٣", false), (.stream, "account/alice", true),
        (.stream, "account/", false), (.stream, "/a", false), (.stream, "account", false), (.stream, "account/a/b", false),
        (.stream, "Account/a", false), (.base64URL, "", true), (.base64URL, "a-_9", true), (.base64URL, "a=", false),
        (.sha256, "sha256:" + String(repeating: "a", count: 64), true), (.sha256, "sha256:" + String(repeating: "A", count: 64), false),
        (.sha256, "sha256:", false), (.uuid, "8e03978e-40d5-43dd-bc93-6894a57f9324", true),
        (.uuid, "8e03978e-40d5-43dd-bc93-6894a57f932", false),
        (.uuid, "8e03978ex40d5-43dd-bc93-6894a57f9324", false),
    ])
    func aFormIsToldFromWhatLooksLikeIt(format: TextFormat, text: String, fits: Bool) throws {
        #expect(format.matches(text) == fits)
        // The pattern that the OpenAPI document shows says the same.
        let pattern = try Regex(format.pattern)
        #expect((try pattern.wholeMatch(in: text) != nil) == fits)
    }
}
