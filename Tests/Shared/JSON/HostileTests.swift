import JSON
import Testing

@Suite("Documents made to do harm")
struct HostileTests {
    private func kind(_ body: () throws -> Void) -> JSONError.Kind? { #expect(throws: JSONError.self) { try body() }?.kind }

    @Test("nesting is read to the limit and refused beyond, by every reader", arguments: ["[", #"{"a":"#])
    func depth(open: String) throws {
        let close = open == "[" ? "]" : "}"
        func nested(_ depth: Int) -> [UInt8] {
            let inner = open == "[" ? "" : "0"
            return Array((String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)).utf8)
        }
        let limits = JSONLimits(depth: 7)
        _ = try JSON.parse(nested(7), limits: limits)
        try JSON.checkCanonical(nested(7), limits: limits)
        #expect(kind { _ = try JSON.parse(nested(8), limits: limits) } == .tooDeep)
        #expect(kind { try JSON.checkCanonical(nested(8), limits: limits) } == .tooDeep)
        var reader = try JSONReader(nested(7), limits: limits)
        try reader.skip()
        reader = try JSONReader(nested(8), limits: limits)
        #expect(kind { try reader.skip() } == .tooDeep)
    }

    @Test("half a million open brackets cost an error, not the stack, whatever limit was asked for")
    func brackets() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 500_000)
        let limits = JSONLimits(depth: .max)
        #expect(limits.depth == 256)
        #expect(kind { _ = try JSON.parse(bytes, limits: limits) } == .tooDeep)
        #expect(kind { try JSON.checkCanonical(bytes, limits: limits) } == .tooDeep)
    }

    @Test("a document longer than the limit is refused unread")
    func bytes() {
        let limits = JSONLimits(bytes: 4)
        #expect(throws: Never.self) { try JSON.parse("1234", limits: limits) }
        #expect(kind { _ = try JSON.parse("!!!!!", limits: limits) } == .tooLong)
        #expect(kind { try JSON.checkCanonical(Array("!!!!!".utf8), limits: limits) } == .tooLong)
        #expect(kind { _ = try JSONReader(Array("!!!!!".utf8), limits: limits) } == .tooLong)
    }

    @Test("values are counted through all levels")
    func items() {
        let limits = JSONLimits(items: 4)
        #expect(throws: Never.self) { try JSON.parse("[1,[2]]", limits: limits) }
        #expect(kind { _ = try JSON.parse("[1,[2,3]]", limits: limits) } == .tooManyItems)
        #expect(kind { try JSON.checkCanonical(Array("[1,[2,3]]".utf8), limits: limits) } == .tooManyItems)
    }

    @Test("a number of thousands of digits is refused, one of a thousand read")
    func digits() throws {
        let thousand = "1." + String(repeating: "3", count: 1000)
        #expect(try JSON.parse(thousand).doubleValue == 1.0 + 1.0 / 3)
        #expect(kind { _ = try JSON.parse("1." + String(repeating: "3", count: 5000)) } == .numberTooLarge)
        #expect(kind { _ = try JSON.parse(String(repeating: "9", count: 400)) } == .numberTooLarge)
        #expect(kind { _ = try JSON.parse("1e99999999999999999999") } == .numberTooLarge)
    }

    @Test("fifty thousand keys, the last of them given twice, are read in time that does not square")
    func manyKeys() {
        let body = (0..<50_000).map { #""k\#($0)":0"# }.joined(separator: ",")
        let clock = ContinuousClock()
        let spent = clock.measure {
            #expect(kind { _ = try JSON.parse("{\(body),\"k49999\":0}") } == .duplicateKey)
        }
        // Comparing every pair would take many minutes.
        #expect(spent < .seconds(30))
    }

    @Test("every prefix of a document is refused, and no reader reads past its end")
    func prefixes() throws {
        let whole = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00\n","é"],"b":{"c":null,"d":[true,false]}}"#.utf8)
        _ = try JSON.parse(whole)
        for count in 0..<whole.count {
            let prefix = Array(whole[..<count])
            #expect(throws: JSONError.self) { try JSON.parse(prefix) }
            #expect(throws: JSONError.self) { try JSON.checkCanonical(prefix, allowFractions: true) }
            #expect(throws: JSONError.self) {
                var reader = try JSONReader(prefix)
                try reader.skip()
                try reader.finish()
            }
        }
    }
}
