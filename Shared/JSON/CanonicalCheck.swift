/// Decides in one pass, without building anything, whether bytes are the RFC 8785 form of the value that they hold.
struct CanonicalCheck {
    private var scanner: Scanner
    private var items: Int
    private let allowFractions: Bool

    init(_ scanner: Scanner, _ limits: JSONLimits, allowFractions: Bool) {
        self.scanner = scanner
        items = limits.items
        self.allowFractions = allowFractions
    }

    mutating func document(depth: Int) throws(JSONFault) {
        try value(depth: depth)
        if scanner.at < scanner.bytes.count {
            throw isBlank(scanner.next) ? scanner.fault(.whitespace) : scanner.fault(.trailingBytes)
        }
    }

    private mutating func value(depth: Int) throws(JSONFault) {
        items &-= 1
        guard items >= 0 else { throw scanner.fault(.tooManyItems) }
        switch scanner.next {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw scanner.fault(.tooDeep) }
            try members(depth: depth &- 1)
        case UInt8(ascii: "["):
            guard depth > 0 else { throw scanner.fault(.tooDeep) }
            try elements(depth: depth &- 1)
        case UInt8(ascii: "t"): try scanner.expectWord("true")
        case UInt8(ascii: "f"): try scanner.expectWord("false")
        case UInt8(ascii: "n"): try scanner.expectWord("null")
        case 0x30...0x39, UInt8(ascii: "-"): try number()
        default: throw stray
        }
    }

    private mutating func elements(depth: Int) throws(JSONFault) {
        scanner.at &+= 1
        if scanner.take(UInt8(ascii: "]")) { return }
        while true {
            try value(depth: depth)
            if scanner.take(UInt8(ascii: ",")) { continue }
            return try expect(UInt8(ascii: "]"))
        }
    }

    private mutating func members(depth: Int) throws(JSONFault) {
        scanner.at &+= 1
        if scanner.take(UInt8(ascii: "}")) { return }
        var last: Scanner.Text?
        while true {
            let start = scanner.at
            let key = try text()
            // Strictly ascending, so that no key can come twice either.
            if let last, !precedes(last, key) { throw JSONFault(kind: .keyOrder, offset: start) }
            last = key
            try expect(UInt8(ascii: ":"))
            try value(depth: depth)
            if scanner.take(UInt8(ascii: ",")) { continue }
            return try expect(UInt8(ascii: "}"))
        }
    }

    @inline(__always)
    private mutating func text() throws(JSONFault) -> Scanner.Text {
        if scanner.next != UInt8(ascii: "\"") { throw stray }
        let text = try scanner.text()
        if text.isEscaped { try checkEscapes(text.range) }
        return text
    }

    /// RFC 8785 §3.2.2.2: two-letter escapes where there are any, \u00xx in lower case for the other controls, no others.
    private func checkEscapes(_ range: Range<Int>) throws(JSONFault) {
        var at = range.lowerBound
        while at < range.upperBound {
            guard scanner.bytes[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            switch scanner.bytes[at + 1] {
            case UInt8(ascii: "/"): throw JSONFault(kind: .escapeForm, offset: at)
            case UInt8(ascii: "u"):
                let digits = (scanner.bytes[at + 2], scanner.bytes[at + 3], scanner.bytes[at + 4], scanner.bytes[at + 5])
                guard digits.0 == 0x30, digits.1 == 0x30, digits.2 == 0x30 || digits.2 == 0x31 else {
                    throw JSONFault(kind: .escapeForm, offset: at)
                }
                let low: UInt8? =
                    switch digits.3 {
                    case 0x30...0x39: digits.3 - 0x30
                    case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.3 - 0x57
                    default: nil
                    }
                guard let low else { throw JSONFault(kind: .escapeForm, offset: at) }
                switch (digits.2 - 0x30) << 4 | low {
                case 0x08, 0x09, 0x0a, 0x0c, 0x0d: throw JSONFault(kind: .escapeForm, offset: at)
                default: at += 6
                }
            default: at += 2
            }
        }
    }

    private mutating func number() throws(JSONFault) {
        let number = try scanner.number()
        let start = number.range.lowerBound
        if let int = number.int, isSafe(int) { return }
        let double = try scanner.double(number)
        if !allowFractions {
            if double == 0 && number.isIntegral { throw JSONFault(kind: .numberForm, offset: start) }
            throw JSONFault(kind: number.isIntegral ? .unsafeInteger : .fraction, offset: start)
        }
        let text = NumberText(double)
        var isSame = text.count == number.range.count
        if isSame {
            for index in 0..<text.count where text[index] != scanner.bytes[start + index] { isSame = false }
        }
        if !isSame { throw JSONFault(kind: number.int == nil ? .numberForm : .unsafeInteger, offset: start) }
    }

    @inline(__always)
    private func precedes(_ a: Scanner.Text, _ b: Scanner.Text) -> Bool {
        if a.isEscaped || b.isEscaped { return canonicallyPrecedes(scanner.string(a), scanner.string(b)) }
        let count = min(a.range.count, b.range.count)
        for index in 0..<count {
            let x = scanner.bytes[a.range.lowerBound &+ index], y = scanner.bytes[b.range.lowerBound &+ index]
            if x != y { return canonicallyPrecedes(x, y) }
        }
        return a.range.count < b.range.count
    }

    @inline(__always)
    private mutating func expect(_ byte: UInt8) throws(JSONFault) {
        if !scanner.take(byte) { throw stray }
    }

    private var stray: JSONFault { isBlank(scanner.next) ? scanner.fault(.whitespace) : scanner.unexpected }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
}
