import JSON
import Testing

@Suite("Reading a document")
struct ParseTests {
    static let accepted: [(String, JSONValue)] = [
        ("null", JSONValue.null), (" \t\r\n true ", true), ("false", false), ("0", 0), ("-1", -1),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("-0", .double(-0.0)), ("1.0", .double(1)),
        ("1e2", .double(100)), ("-1.5E-3", .double(-0.0015)), ("1e-400", .double(0)), (#""""#, ""),
        (#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00""#, "\"\\/\u{8}\u{c}\n\r\tAé€😀"),
        ("[]", []), ("{}", [:]), ("[1,[2],{}]", [1, [2], [:]]), (#"{"":{"a":null}}"#, ["": ["a": nil]]),
        ("\"\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}"),
    ]

    @Test("every kind of value is read", arguments: accepted)
    func accepts(input: String, value: JSONValue) throws {
        #expect(try JSON.parse(input) == value)
    }

    static let refused: [(String, JSONError.Kind, Int, String)] = [
        ("", .unexpectedEnd, 0, ""), ("  ", .unexpectedEnd, 2, ""), ("nul", .unexpectedEnd, 3, ""), ("nulL", .unexpectedByte, 3, ""),
        ("True", .unexpectedByte, 0, ""), ("\u{feff}1", .unexpectedByte, 0, ""), ("1 2", .trailingBytes, 2, ""),
        ("{}}", .trailingBytes, 2, ""), ("[1,]", .unexpectedByte, 3, "/1"), ("[1 2]", .unexpectedByte, 3, "/0"),
        ("[,1]", .unexpectedByte, 1, "/0"), (#"{"a":1,}"#, .unexpectedByte, 7, ""), (#"{"a" 1}"#, .unexpectedByte, 5, "/a"),
        ("{a:1}", .unexpectedByte, 1, ""), (#"{"a":}"#, .unexpectedByte, 5, "/a"), (#"{"a":1"#, .unexpectedEnd, 6, "/a"),
        ("[", .unexpectedEnd, 1, "/0"), ("\"a", .unexpectedEnd, 2, ""), ("\"a\\", .unexpectedEnd, 3, ""), ("'a'", .unexpectedByte, 0, ""),
        ("\"a\tb\"", .controlCharacter, 2, ""), ("\"\u{0}\"", .controlCharacter, 1, ""), (#""\x""#, .badEscape, 1, ""),
        (#""\u12g4""#, .badEscape, 1, ""), (#""\u12"#, .badEscape, 1, ""), (#""\ud800""#, .loneSurrogate, 1, ""),
        (#""\udc00""#, .loneSurrogate, 1, ""), (#""\ud800\u0041""#, .loneSurrogate, 1, ""), (#""\ud800\ud800""#, .loneSurrogate, 1, ""),
        (#""\ud83dx\ude00""#, .loneSurrogate, 1, ""), ("01", .badNumber, 0, ""), ("-", .badNumber, 0, ""), ("-01", .badNumber, 0, ""),
        ("+1", .unexpectedByte, 0, ""), (".5", .unexpectedByte, 0, ""), ("1.", .badNumber, 0, ""), ("1.e2", .badNumber, 0, ""),
        ("1e", .badNumber, 0, ""), ("1e+", .badNumber, 0, ""), ("0x10", .trailingBytes, 1, ""), ("NaN", .unexpectedByte, 0, ""),
        ("Infinity", .unexpectedByte, 0, ""), ("-Infinity", .badNumber, 0, ""), ("1e400", .numberTooLarge, 0, ""),
        (#"{"a":1,"a":1}"#, .duplicateKey, 7, "/a"), (#"{"a":1,"\u0061":1}"#, .duplicateKey, 7, "/a"),
        (#"{"\u0061":1,"a":1}"#, .duplicateKey, 12, "/a"), (#"[{"x":{"~/":1,"~/":2}}]"#, .duplicateKey, 14, "/0/x/~0~1"),
        ("[1,/**/2]", .unexpectedByte, 3, "/1"), (#"{"k":[{"a,]}\"":tru}]}"#, .unexpectedByte, 19, #"/k/0/a,]}""#),
    ]

    @Test("a malformed document is refused with what, where and the pointer", arguments: refused)
    func refuses(input: String, kind: JSONError.Kind, offset: Int, pointer: String) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(input) }
        #expect(error?.kind == kind)
        #expect(error?.offset == offset)
        #expect(error?.pointer == pointer)
    }

    @Test(
        "bytes that are not UTF-8 are refused where they begin",
        arguments: [
            ([0x80], 1), ([0xc0, 0x80], 1), ([0xc1, 0xbf], 1), ([0xe0, 0x9f, 0xbf], 1), ([0xed, 0xa0, 0x80], 1),
            ([0xf0, 0x8f, 0xbf, 0xbf], 1),
            ([0xf4, 0x90, 0x80, 0x80], 1), ([0xf5, 0x80, 0x80, 0x80], 1), ([0xff], 1), ([0xc3], 1), ([0xe2, 0x82], 1),
            ([0xf0, 0x9f, 0x98], 1),
            ([0x61, 0xc3, 0x28], 2), (Array("eight ok".utf8) + [0xfe], 9), (Array("é and more than a word".utf8) + [0xe2, 0x82, 0x20], 24),
        ] as [([UInt8], Int)])
    func invalidUTF8(content: [UInt8], offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSON.parse([0x22] + content + [0x22]) }
        #expect(error == #expect(throws: JSONError.self) { try JSON.checkCanonical([0x22] + content + [0x22]) })
        #expect(error?.kind == .badUTF8)
        #expect(error?.offset == offset)
    }

    @Test("a key given twice is found among many, and among those with escapes", arguments: [3, 16, 17, 18, 400])
    func duplicates(count: Int) throws {
        let keys = (0..<count).map { "key \($0)" }
        let body = keys.map { #""\#($0)":1"# }.joined(separator: ",")
        #expect(try JSON.parse("{\(body)}").objectValue?.keys == keys)
        for key in [keys[0], keys[count / 2], keys[count - 1]] {
            for spelling in [key, "\\u006b" + key.dropFirst()] {
                let error = #expect(throws: JSONError.self) { try JSON.parse(#"{\#(body),"\#(spelling)":2}"#) }
                #expect(error?.kind == .duplicateKey)
                #expect(error?.offset == body.utf8.count + 2)
                #expect(error?.pointer == "/" + key)
            }
        }
    }

    @Test("keys that Swift holds to be equal are two when their bytes differ")
    func canonicalEquivalents() throws {
        let value = try JSON.parse("{\"é\":1,\"e\u{301}\":2}")
        #expect(value["é"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSONValue.string("é") != JSONValue.string("e\u{301}"))
    }

    @Test("equality does not ask for the order of members, and hashing agrees")
    func equality() {
        let one: JSONValue = ["a": 1, "b": [2, ["c": "x"]]], other: JSONValue = ["b": [2, ["c": "x"]], "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one != ["a": 1, "b": [2, ["c": "y"]]])
        #expect(one != ["a": 1])
        #expect(JSONValue.int(1) != .double(1))
    }
}
