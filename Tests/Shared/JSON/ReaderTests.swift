import JSON
import Testing

@Suite("Reading piece by piece")
struct ReaderTests {
    @Test("members, elements, values and raw ranges are read in order")
    func walk() throws {
        let bytes = Array(#" { "id" : "a\n\u00e9" , "n":-7,"d":2.5, "list":[1,[],{"x":true}], "raw":{"k":[1, 2]}, "z":null} "#.utf8)
        var reader = try JSONReader(bytes)
        var seen: [String] = []
        #expect(try reader.peek() == .object)
        try reader.beginObject()
        while try reader.nextKey() {
            seen.append(reader.keyText)
            if reader.keyIs("id") {
                #expect(try reader.string() == "a\né")
            } else if reader.keyIs("n") {
                #expect(try reader.int() == -7)
            } else if reader.keyIs("d") {
                #expect(try reader.double() == 2.5)
            } else if reader.keyIs("list") {
                try reader.beginArray()
                #expect(try reader.nextElement())
                #expect(try reader.int() == 1)
                #expect(try reader.nextElement())
                #expect(try reader.value() == [])
                #expect(try reader.nextElement())
                try reader.beginObject()
                #expect(try reader.nextKey())
                #expect(try reader.bool())
                #expect(try !reader.nextKey())
                #expect(try !reader.nextElement())
            } else if reader.keyIs("raw") {
                let range = try reader.rawValue()
                #expect(text(Array(bytes[range])) == #"{"k":[1, 2]}"#)
            } else {
                #expect(try reader.peek() == .null)
                try reader.null()
            }
        }
        try reader.finish()
        #expect(seen == ["id", "n", "d", "list", "raw", "z"])
    }

    @Test("a key matches by its bytes, escaped or not")
    func keys() throws {
        var reader = try JSONReader(Array(#"{"\u0069d":1,"ide":2,"i":3,"id":4}"#.utf8))
        try reader.beginObject()
        var matches: [Bool] = []
        while try reader.nextKey() {
            matches.append(reader.keyIs("id"))
            try reader.skip()
        }
        #expect(matches == [true, false, false, true])
    }

    @Test("a text can be had as the range of its bytes")
    func ranges() throws {
        let bytes = Array(#"["plain é","with \t"]"#.utf8)
        var reader = try JSONReader(bytes)
        try reader.beginArray()
        #expect(try reader.nextElement())
        let plain = try reader.text()
        #expect(!plain.isEscaped && text(Array(bytes[plain.range])) == "plain é" && reader.matches(plain, "plain é"))
        #expect(try reader.nextElement())
        let escaped = try reader.text()
        #expect(escaped.isEscaped && reader.string(of: escaped) == "with \t")
    }

    @Test("another kind of value than asked for is refused with its pointer")
    func wrongKinds() throws {
        let asks: [(String, (inout JSONReader) throws -> Void)] = [
            ("a string", { _ = try $0.string() }), ("an integer of 64 bits", { _ = try $0.int() }), ("a number", { _ = try $0.double() }),
            ("a boolean", { _ = try $0.bool() }), ("null", { try $0.null() }), ("an object", { try $0.beginObject() }),
            ("an array", { try $0.beginArray() }),
        ]
        let values = ["\"x\"", "1", "1.5", "true", "null", "{}", "[]"]
        let fitting: [String: Set<String>] = [
            "a string": ["\"x\""], "an integer of 64 bits": ["1"], "a number": ["1", "1.5"], "a boolean": ["true"], "null": ["null"],
            "an object": ["{}"], "an array": ["[]"],
        ]
        for (what, ask) in asks {
            for value in values where fitting[what]?.contains(value) != true {
                var reader = try JSONReader(Array(#"{"a":\#(value)}"#.utf8))
                try reader.beginObject()
                _ = try reader.nextKey()
                let error = #expect(throws: JSONError.self) { try ask(&reader) }
                #expect(error?.kind == .wrongType(expected: what), "\(what) from \(value)")
                #expect(error?.pointer == "/a")
            }
        }
    }

    @Test("an integer beyond 64 bits is refused, not rounded")
    func largeInteger() throws {
        var reader = try JSONReader(Array("9223372036854775808".utf8))
        #expect(throws: JSONError.self) { try reader.int() }
    }

    @Test(
        "missing and extra commas are refused",
        arguments: ["[1 2]", "[1,,2]", "[,1]", "[1,]", #"{"a":1 "b":2}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":1}x"#, #"{"a":1]"#])
    func commas(input: String) throws {
        var reader = try JSONReader(Array(input.utf8))
        #expect(throws: JSONError.self) {
            if input.hasPrefix("[") {
                try reader.beginArray()
                while try reader.nextElement() { try reader.skip() }
            } else {
                try reader.beginObject()
                while try reader.nextKey() { try reader.skip() }
            }
            try reader.finish()
        }
    }

    @Test("skipping accepts what reading accepts, keys given twice aside", arguments: 0..<40 as Range<UInt64>)
    func agreement(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<60 {
            let bytes = random.mutated(JSON.write(random.value()))
            let parsed: Result<JSONValue, JSONError> = Result { () throws(JSONError) in try JSON.parse(bytes) }
            let skipped: Result<Void, JSONError> = Result { () throws(JSONError) in
                var reader = try JSONReader(bytes)
                try reader.skip()
                try reader.finish()
            }
            switch (parsed, skipped) {
            case (.success, .success): break
            case (.failure(let a), .failure(let b)):
                #expect(a == b || a.kind == .duplicateKey || a.kind == .numberTooLarge, "seed \(seed): \(text(bytes))")
            case (.failure(let a), .success):
                #expect(a.kind == .duplicateKey || a.kind == .numberTooLarge, "seed \(seed): \(a) in \(text(bytes))")
            case (.success, .failure(let b)): Issue.record("seed \(seed): \(b) in \(text(bytes))")
            }
        }
    }
}
