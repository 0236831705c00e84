/// A double as ECMAScript's Number::toString writes it (ECMA-262 §6.1.6.1.20), which RFC 8785 §3.2.2.3 prescribes.
/// Swift's `description` has the same shortest digits; only the layout differs.
struct NumberText {
    /// The longest is `-1.7976931348623157e+308` and alike: 25 bytes.
    private var text = InlineArray<32, UInt8>(repeating: 0)
    private(set) var count = 0

    subscript(index: Int) -> UInt8 { text[index] }

    /// Writes a finite number.
    init(_ number: Double) {
        // -0 is written 0.
        if number == 0 {
            put(UInt8(ascii: "0"))
            return
        }
        if number < 0 { put(UInt8(ascii: "-")) }
        let (digits, count, point) = Self.shortest(number.magnitude)
        switch point {
        case count...21:
            for index in 0..<count { put(digits[index]) }
            for _ in count..<point { put(UInt8(ascii: "0")) }
        case 1...21:
            for index in 0..<point { put(digits[index]) }
            put(UInt8(ascii: "."))
            for index in point..<count { put(digits[index]) }
        case -5...0:
            put(UInt8(ascii: "0"))
            put(UInt8(ascii: "."))
            for _ in point..<0 { put(UInt8(ascii: "0")) }
            for index in 0..<count { put(digits[index]) }
        default:
            put(digits[0])
            if count > 1 { put(UInt8(ascii: ".")) }
            for index in 1..<max(count, 1) { put(digits[index]) }
            put(UInt8(ascii: "e"))
            put(point > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
            putExponent((point - 1).magnitude)
        }
    }

    private mutating func put(_ byte: UInt8) {
        text[count] = byte
        count += 1
    }

    private mutating func putExponent(_ exponent: UInt) {
        if exponent >= 100 { put(0x30 + UInt8(exponent / 100)) }
        if exponent >= 10 { put(0x30 + UInt8(exponent / 10 % 10)) }
        put(0x30 + UInt8(exponent % 10))
    }

    /// The shortest digits that give the number back, and how many of them stand before the point (negative: zeros after it).
    private static func shortest(_ number: Double) -> (digits: InlineArray<24, UInt8>, count: Int, point: Int) {
        var digits = InlineArray<24, UInt8>(repeating: 0)
        var count = 0, leadingZeros = 0, point: Int?
        var exponent = 0, isExponentNegative = false, inExponent = false
        for byte in number.description.utf8 {
            switch byte {
            case UInt8(ascii: "e"): inExponent = true
            case UInt8(ascii: "+"): break
            case UInt8(ascii: "-"): isExponentNegative = true
            case UInt8(ascii: "."): point = count + leadingZeros
            default:
                if inExponent {
                    exponent = exponent * 10 + Int(byte - 0x30)
                } else if count == 0 && byte == UInt8(ascii: "0") {
                    leadingZeros += 1
                } else {
                    digits[count] = byte
                    count += 1
                }
            }
        }
        let before = (point ?? count + leadingZeros) - leadingZeros + (isExponentNegative ? -exponent : exponent)
        while count > 1 && digits[count - 1] == UInt8(ascii: "0") { count -= 1 }
        return (digits, count, before)
    }
}
