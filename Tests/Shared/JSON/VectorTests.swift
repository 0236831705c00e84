import JSON
import Testing

@Suite("Vectors of other implementations", .enabled(if: Fixtures.arePresent, Fixtures.missing))
struct VectorTests {
    @Test("documents canonicalise to the bytes that another implementation writes")
    func documents() throws {
        let given = try Fixtures.lines("jcs.in"), wanted = try Fixtures.lines("jcs.want")
        #expect(given.count == wanted.count && given.count >= 100)
        for (input, want) in zip(given, wanted) {
            let value = try JSON.parse(input)
            let canonical = try JSON.canonical(value)
            #expect(canonical == want)
            #expect(throws: Never.self) { try JSON.checkCanonical(want, allowFractions: true) }
            #expect(try JSON.canonical(JSON.parse(JSON.pretty(value))) == want)
        }
    }

    @Test("numbers are written as ECMAScript writes them")
    func numbers() throws {
        let given = try Fixtures.lines("numbers.in"), wanted = try Fixtures.lines("numbers.want")
        #expect(given.count == wanted.count && given.count >= 10_000)
        for (input, want) in zip(given, wanted) {
            let bits = try #require(UInt64(String(decoding: input, as: UTF8.self), radix: 16))
            let text = JSON.write(.double(Double(bitPattern: bits)))
            #expect(text == want, "\(String(decoding: input, as: UTF8.self))")
        }
    }
}
