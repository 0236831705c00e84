import JSON
import Testing

@Suite("The canonical form, RFC 8785")
struct CanonicalTests {
    @Test("the RFC's example of values, section 3.2.2")
    func exampleOfValues() throws {
        let input = #"""
            { "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }
            """#
        let want =
            #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
            + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        #expect(text(try JSON.canonical(JSON.parse(input))) == want)
    }

    @Test("the RFC's example of keys, section 3.2.3: by UTF-16 units, not by characters")
    func exampleOfKeys() throws {
        let input = #"""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
             "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """#
        let sorted = try JSON.parse(JSON.canonical(JSON.parse(input))).objectValue?.keys
        #expect(sorted == ["\r", "1", "\u{80}", "ö", "€", "😀", "\u{fb33}"])
    }

    @Test(
        "the RFC's numbers, appendix B",
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"), (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func numbers(bits: UInt64, want: String) throws {
        #expect(text(try JSON.canonical(.double(Double(bitPattern: bits)))) == want)
    }

    @Test("every control character has its one escape")
    func controls() throws {
        let all = String(String.UnicodeScalarView((0..<0x20).compactMap(Unicode.Scalar.init)))
        let want =
            #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
            + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f""#
        #expect(text(try JSON.canonical(.string(all))) == want)
        #expect(throws: Never.self) { try JSON.checkCanonical(Array(want.utf8)) }
    }

    @Test("what would change is refused, with the place")
    func refused() throws {
        let limit: Int64 = 9_007_199_254_740_992
        #expect(text(try JSON.canonical(.int(limit - 1), allowFractions: false)) == "9007199254740991")
        for value in [JSONValue.int(limit), .int(-limit), .int(.max)] {
            let error = #expect(throws: JSONError.self) { try JSON.canonical(["a": [0, ["b/": value]]], allowFractions: false) }
            #expect(error?.kind == .unsafeInteger)
            #expect(error?.pointer == "/a/1/b~1")
        }
        #expect(throws: JSONError.self) { try JSON.canonical(.int(limit + 1)) }
        #expect(throws: JSONError.self) { try JSON.canonical(.int(1 << 60)) }
        #expect(text(try JSON.canonical(.int(100_000_000_000_000_000))) == "100000000000000000")
        let fraction = #expect(throws: JSONError.self) { try JSON.canonical([0.5], allowFractions: false) }
        #expect(fraction?.kind == .fraction)
        for number in [Double.nan, .infinity, -.infinity] {
            #expect(#expect(throws: JSONError.self) { try JSON.canonical([.double(number)]) }?.kind == .notFinite)
        }
    }

    @Test("keys are in the order of their UTF-16 units, whatever they are", arguments: 0..<20 as Range<UInt64>)
    func order(seed: UInt64) throws {
        var random = Seeded(seed)
        let scalars: [ClosedRange<UInt32>] = [0...0x7f, 0x80...0x7ff, 0x800...0xd7ff, 0xe000...0xffff, 0x10000...0x10ffff]
        let object = JSONObject(
            (0..<60).map { _ in
                let key = (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in
                    Unicode.Scalar(UInt32.random(in: scalars[Int.random(in: 0..<5, using: &random)], using: &random))
                }
                return (String(String.UnicodeScalarView(key)), 0)
            })
        let keys = try #require(try JSON.parse(JSON.canonical(.object(object))).objectValue?.keys)
        let wanted = object.keys.sorted { Array($0.utf16).lexicographicallyPrecedes(Array($1.utf16)) }
        #expect(keys.map { Array($0.utf8) } == wanted.map { Array($0.utf8) }, "seed \(seed)")
    }

    @Test("the canonical form of the canonical form is itself", arguments: 0..<40 as Range<UInt64>)
    func idempotent(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<25 {
            let value = random.value()
            guard let once = try? JSON.canonical(value) else { continue }
            #expect(try JSON.canonical(JSON.parse(once)) == once, "seed \(seed): \(text(once))")
        }
    }
}
