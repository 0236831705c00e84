import JSON
import Testing

@Suite("Checking the canonical form without building it")
struct CanonicalCheckTests {
    static let refused: [(String, JSONError.Kind, Int, String)] = [
        (" 1", .whitespace, 0, ""), ("1 ", .whitespace, 1, ""), ("1\n", .whitespace, 1, ""), ("[1, 2]", .whitespace, 3, "/1"),
        ("[1 ,2]", .whitespace, 2, "/0"), (#"{"a": 1}"#, .whitespace, 5, "/a"), ("{ }", .whitespace, 1, ""), ("[ ]", .whitespace, 1, "/0"),
        (#"{"b":1,"a":1}"#, .keyOrder, 7, "/a"), (#"{"a":1,"a":1}"#, .keyOrder, 7, "/a"), (#"{"ab":1,"a":1}"#, .keyOrder, 8, "/a"),
        (#"{"x":[{"b":0,"":1}]}"#, .keyOrder, 13, "/x/0/"), ("{\"\u{fb33}\":1,\"😀\":2}", .keyOrder, 9, "/😀"),
        (#""\/""#, .escapeForm, 1, ""), (#""\u0061""#, .escapeForm, 1, ""), (#""\u000A""#, .escapeForm, 1, ""),
        (#""\u000a""#, .escapeForm, 1, ""),
        (#""\u001F""#, .escapeForm, 1, ""), (#""\u0022""#, .escapeForm, 1, ""), (#""\u00e9""#, .escapeForm, 1, ""),
        (#""\u1001""#, .escapeForm, 1, ""),
        (#""\ud83d\ude00""#, .escapeForm, 1, ""), (#""ok\n\u007f""#, .escapeForm, 5, ""), ("-0", .numberForm, 0, ""),
        ("1.0", .fraction, 0, ""),
        ("0.5", .fraction, 0, ""), ("1e3", .fraction, 0, ""), ("[1,01]", .badNumber, 3, "/1"), ("9007199254740992", .unsafeInteger, 0, ""),
        ("-9007199254740992", .unsafeInteger, 0, ""), ("99999999999999999999", .unsafeInteger, 0, ""), ("1e400", .numberTooLarge, 0, ""),
        ("", .unexpectedEnd, 0, ""), ("12x", .trailingBytes, 2, ""),
        ("nul", .unexpectedEnd, 3, ""), (#"{"a"=1}"#, .unexpectedByte, 4, "/a"), (#"{a:1}"#, .unexpectedByte, 1, ""),
        ("{,}", .unexpectedByte, 1, ""),
    ]

    @Test("what is not canonical is refused with what, where and the pointer", arguments: refused)
    func refuses(input: String, kind: JSONError.Kind, offset: Int, pointer: String) {
        let error = #expect(throws: JSONError.self) { try JSON.checkCanonical(Array(input.utf8)) }
        #expect(error?.kind == kind)
        #expect(error?.offset == offset)
        #expect(error?.pointer == pointer)
    }

    @Test(
        "what is canonical passes",
        arguments: [
            "null", "true", "false", "0", "-1", "9007199254740991", "-9007199254740991", #""""#, "[]", "{}",
            #"{"":0,"a":[{"a":1,"ab":2}],"b":{}}"#,
            #""\b\f\n\r\t\"\\\u0000\u001f/é😀""#, #"{"\n":1,"\"":2,"a":3}"#, "{\"😀\":1,\"\u{fb33}\":2}",
        ])
    func accepts(input: String) {
        #expect(throws: Never.self) { try JSON.checkCanonical(Array(input.utf8)) }
    }

    @Test(
        "fractions pass where they are allowed, in their one form",
        arguments: [
            ("0.5", true), ("1e+21", true), ("1e-7", true), ("-0.000001", true), ("100000000000000000000", true),
            ("100000000000000000", true), ("0.50", false), (".5", false),
            ("1E+21", false), ("1e21", false), ("1e+20", false), ("0.0000001", false), ("-0.0", false), ("-0", false), ("1.0", false),
            ("9007199254740993", false),
            ("1152921504606846976", false),
        ])
    func fractions(input: String, isCanonical: Bool) {
        #expect((try? JSON.checkCanonical(Array(input.utf8), allowFractions: true)).map { true } ?? false == isCanonical)
    }

    /// The rule that the quick check stands for.
    private func isCanonicalTheLongWay(_ bytes: [UInt8], _ allowFractions: Bool) -> Bool {
        (try? JSON.canonical(JSON.parse(bytes), allowFractions: allowFractions)) == bytes
    }

    @Test("of all escapes of the first 256 characters only the needed ones pass")
    func escapes() {
        var passed = 0
        for code in 0..<256 {
            let digits = String(code, radix: 16)
            for form in [digits, digits.uppercased()] {
                let bytes = Array(("\"\\u" + String(repeating: "0", count: 4 - form.count) + form + "\"").utf8)
                let passes = (try? JSON.checkCanonical(bytes)) != nil
                #expect(passes == isCanonicalTheLongWay(bytes, false), "\(text(bytes))")
                if passes { passed += 1 }
            }
        }
        // 27 controls have no two-letter escape; the 18 of them without digits a to f are tried twice.
        #expect(passed == 27 + 18)
    }

    @Test("it agrees with reading and writing, on documents sound and changed", arguments: 0..<60 as Range<UInt64>)
    func agreement(seed: UInt64) {
        var random = Seeded(seed)
        var passed = 0
        for _ in 0..<60 {
            let fractions = Bool.random(using: &random)
            let value = random.value(fractions: fractions)
            guard let sound = try? JSON.canonical(value, allowFractions: fractions) else { continue }
            for bytes in [sound, JSON.write(value), random.mutated(sound), random.mutated(sound)] {
                for allow in [true, false] {
                    let passes = (try? JSON.checkCanonical(bytes, allowFractions: allow)) != nil
                    #expect(passes == isCanonicalTheLongWay(bytes, allow), "seed \(seed), fractions \(allow): \(text(bytes)) \(bytes)")
                    if passes { passed += 1 }
                }
            }
        }
        // Were everything refused, agreement would mean nothing.
        #expect(passed > 50)
    }
}
