/// Builds a value from bytes.
struct Parser {
    var scanner: Scanner
    var items: Int

    init(_ scanner: Scanner, _ limits: JSONLimits) {
        self.scanner = scanner
        items = limits.items
    }

    mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        items -= 1
        guard items >= 0 else { throw scanner.fault(.tooManyItems) }
        switch scanner.next {
        case UInt8(ascii: "\""): return .string(scanner.string(try scanner.text()))
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw scanner.fault(.tooDeep) }
            return .object(JSONObject(distinct: try members(depth: depth - 1)))
        case UInt8(ascii: "["):
            guard depth > 0 else { throw scanner.fault(.tooDeep) }
            return .array(try elements(depth: depth - 1))
        case UInt8(ascii: "t"):
            try scanner.expectWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try scanner.expectWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try scanner.expectWord("null")
            return .null
        default:
            let number = try scanner.number()
            if let int = number.int { return .int(int) }
            return .double(try scanner.double(number))
        }
    }

    private mutating func elements(depth: Int) throws(JSONFault) -> [JSONValue] {
        var list: [JSONValue] = []
        scanner.at += 1
        scanner.skipBlanks()
        if scanner.take(UInt8(ascii: "]")) { return list }
        while true {
            scanner.skipBlanks()
            list.append(try value(depth: depth))
            scanner.skipBlanks()
            if scanner.take(UInt8(ascii: ",")) { continue }
            try scanner.expect(UInt8(ascii: "]"))
            return list
        }
    }

    private mutating func members(depth: Int) throws(JSONFault) -> [JSONObject.Member] {
        var list: [JSONObject.Member] = []
        var keys = KeyCheck()
        scanner.at += 1
        scanner.skipBlanks()
        if scanner.take(UInt8(ascii: "}")) { return list }
        list.reserveCapacity(8)
        while true {
            scanner.skipBlanks()
            let text = try scanner.text()
            let key = scanner.string(text)
            try keys.add(text, scanner)
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            scanner.skipBlanks()
            list.append(JSONObject.Member(key: key, value: try value(depth: depth)))
            scanner.skipBlanks()
            if scanner.take(UInt8(ascii: ",")) { continue }
            try scanner.expect(UInt8(ascii: "}"))
            if keys.needSorting { try refuseDuplicates(list, keys) }
            return list
        }
    }

    /// The case of many keys, or keys with escapes: sorting is n log n, whatever a hostile document holds.
    private func refuseDuplicates(_ list: [JSONObject.Member], _ keys: KeyCheck) throws(JSONFault) {
        let order = list.indices.sorted {
            canonicallyPrecedes(list[$0].key, list[$1].key) || !canonicallyPrecedes(list[$1].key, list[$0].key) && $0 < $1
        }
        for index in order.indices.dropFirst() where sameBytes(list[order[index - 1]].key, list[order[index]].key) {
            throw JSONFault(kind: .duplicateKey, offset: keys.offsets[order[index]])
        }
    }
}

/// Finds a key given twice. Up to 16 keys without escapes, which is nearly every object, are compared where they stand.
private struct KeyCheck {
    private var ranges = InlineArray<16, Range<Int>>(repeating: 0..<0)
    private var count = 0
    /// Whether the keys were not all compared on the way: the caller must.
    private(set) var needSorting = false
    /// Where each key stands, when they need sorting.
    private(set) var offsets: [Int] = []

    mutating func add(_ text: Scanner.Text, _ scanner: Scanner) throws(JSONFault) {
        let offset = text.range.lowerBound - 1
        if !needSorting {
            if count < 16 && !text.isEscaped {
                for index in 0..<count where same(ranges[index], text.range, scanner) {
                    throw JSONFault(kind: .duplicateKey, offset: offset)
                }
                ranges[count] = text.range
                count += 1
                return
            }
            needSorting = true
            for index in 0..<count { offsets.append(ranges[index].lowerBound - 1) }
        }
        offsets.append(offset)
    }

    @inline(__always)
    private func same(_ a: Range<Int>, _ b: Range<Int>, _ scanner: Scanner) -> Bool {
        guard a.count == b.count else { return false }
        for index in 0..<a.count where scanner.bytes[a.lowerBound &+ index] != scanner.bytes[b.lowerBound &+ index] {
            return false
        }
        return true
    }
}
