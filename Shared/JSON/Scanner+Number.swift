extension Scanner {
    /// A number as it stands in the bytes, found to be well formed.
    struct Number {
        var range: Range<Int>
        /// Its value, when it is an integer (other than -0) that fits.
        var int: Int64?
        /// Whether it has neither fraction nor exponent.
        var isIntegral: Bool
    }

    /// The longest number that is read. The longest that says something about a double has 1,077 characters.
    private static let longestNumber = 1_100

    @inline(__always)
    private var isDigit: Bool { next &- 0x30 < 10 }

    /// Reads a number.
    mutating func number() throws(JSONFault) -> Number {
        let start = at
        let isNegative = take(UInt8(ascii: "-"))
        // A byte that begins no number at all is a stray byte, not a bad number.
        guard isDigit else { throw isNegative ? JSONFault(kind: .badNumber, offset: start) : unexpected }
        var magnitude: UInt64 = 0
        var fits = true
        if next == UInt8(ascii: "0") {
            at &+= 1
            if isDigit { throw JSONFault(kind: .badNumber, offset: start) }
        } else {
            while isDigit {
                let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(next &- 0x30))
                magnitude = sum
                if overflow || carry { fits = false }
                at &+= 1
            }
        }
        var isIntegral = true
        if take(UInt8(ascii: ".")) {
            isIntegral = false
            try digits(of: start)
        }
        if next | 0x20 == UInt8(ascii: "e") {
            isIntegral = false
            at += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
            try digits(of: start)
        }
        guard at - start <= Self.longestNumber else { throw JSONFault(kind: .numberTooLarge, offset: start) }
        var number = Number(range: start..<at, int: nil, isIntegral: isIntegral)
        if isIntegral && fits {
            if !isNegative {
                number.int = Int64(exactly: magnitude)
            } else if magnitude != 0 && magnitude <= 1 << 63 {
                number.int = Int64(truncatingIfNeeded: 0 &- magnitude)
            }
        }
        return number
    }

    private mutating func digits(of start: Int) throws(JSONFault) {
        guard isDigit else { throw JSONFault(kind: .badNumber, offset: start) }
        while isDigit { at += 1 }
    }

    /// The nearest double. Too large a number is refused rather than made infinite.
    func double(_ number: Number) throws(JSONFault) -> Double {
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[number.range]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONFault(kind: .numberTooLarge, offset: number.range.lowerBound)
        }
        return value
    }
}
