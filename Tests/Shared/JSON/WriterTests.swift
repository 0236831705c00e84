import JSON
import Testing

@Suite("Writing")
struct WriterTests {
    @Test("commas and colons come by themselves")
    func structure() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a\"", "x\u{1}")
        writer.key("list")
        writer.beginArray()
        writer.beginArray()
        writer.endArray()
        writer.int(Int64.min)
        writer.null()
        writer.raw(Array(#"{"r":1}"#.utf8))
        writer.double(0.5)
        writer.endArray()
        writer.member("t", true)
        writer.member("v", ["k": [1]])
        writer.endObject()
        let want = #"{"a\"":"x\u0001","list":[[],-9223372036854775808,null,{"r":1},0.5],"t":true,"v":{"k":[1]}}"#
        #expect(text(writer.bytes) == want)
        writer.reset()
        writer.int(7)
        #expect(text(writer.bytes) == "7")
    }

    @Test("what is written reads back the same", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<25 {
            let value = random.value(fractions: false)
            #expect(try JSON.parse(JSON.write(value)) == value, "seed \(seed)")
            #expect(try JSON.parse(JSON.pretty(value)) == value, "seed \(seed)")
            #expect(try JSON.parse(JSON.write(value)).objectValue?.keys == value.objectValue?.keys, "seed \(seed)")
            let number = random.double()
            #expect(try JSON.parse(JSON.write(.double(number))).doubleValue == number, "seed \(seed)")
        }
    }

    @Test("every place of a character to escape is found", arguments: ["\"", "\\", "\n", "\u{1f}"])
    func escapes(character: String) throws {
        for before in 0..<20 {
            for after in [0, 1, 7, 8, 9] {
                let value = JSONValue.string(String(repeating: "é", count: before) + character + String(repeating: "x", count: after))
                #expect(try JSON.parse(JSON.write(value)) == value)
            }
        }
    }

    @Test("the pretty form is one member a line")
    func pretty() {
        let want = "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"
        #expect(text(JSON.pretty(["a": [1, [:]], "b": []])) == want)
    }

    @Test("a number that is not finite becomes null")
    func notFinite() { #expect(text(JSON.write([.double(.nan), .double(.infinity)])) == "[null,null]") }
}
