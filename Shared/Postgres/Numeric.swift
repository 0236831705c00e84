/// PostgreSQL's binary `numeric` (`numeric_send` in `src/backend/utils/adt/numeric.c`): a count of digits in base 10,000, the
/// weight of the first, a sign, the number of decimals to show, then the digits; each 16 bits in network order.
enum Numeric {
    private static let negative: UInt16 = 0x4000
    private static let notANumber: UInt16 = 0xC000
    private static let positiveInfinity: UInt16 = 0xD000
    private static let negativeInfinity: UInt16 = 0xF000

    /// The text form that the server itself would print; nil for malformed bytes.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= 8 else { return nil }
        func word(_ index: Int) -> UInt16 { UInt16(bytes[index * 2]) << 8 | UInt16(bytes[index * 2 + 1]) }
        let count = Int(word(0))
        let weight = Int(Int16(bitPattern: word(1)))
        let sign = word(2)
        let scale = Int(word(3))
        switch sign {
        case notANumber: return "NaN"
        case positiveInfinity: return "Infinity"
        case negativeInfinity: return "-Infinity"
        case 0, negative: break
        default: return nil
        }
        guard bytes.count == 8 + 2 * count, scale <= 0x3FFF else { return nil }
        func group(_ position: Int) -> Int { position >= 0 && position < count ? Int(word(4 + position)) : 0 }
        var digits: [UInt8] = sign == negative ? [UInt8(ascii: "-")] : []
        func append(_ value: Int, to digits: inout [UInt8]) {
            for divisor in [1000, 100, 10, 1] { digits.append(UInt8(48 + value / divisor % 10)) }
        }
        if weight < 0 {
            digits.append(48)
        } else {
            digits += String(group(0)).utf8
            for position in stride(from: 1, through: weight, by: 1) { append(group(position), to: &digits) }
        }
        if scale > 0 {
            var decimals: [UInt8] = []
            var position = weight + 1
            while decimals.count < scale {
                append(group(position), to: &decimals)
                position += 1
            }
            digits.append(UInt8(ascii: "."))
            digits += decimals.prefix(scale)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Appends the binary form of a whole number, with its length before it.
    static func append(_ value: Int128, to out: inout [UInt8]) {
        var rest = value.magnitude
        // From the last: 2^128 has 39 digits.
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 10) { groups in
            var count = 0
            while rest > UInt128(UInt64.max) {
                groups[count] = UInt16(truncatingIfNeeded: rest % 10_000)
                rest /= 10_000
                count += 1
            }
            var low = UInt64(truncatingIfNeeded: rest)
            while low > 0 {
                groups[count] = UInt16(truncatingIfNeeded: low % 10_000)
                low /= 10_000
                count += 1
            }
            // Groups of zeros at the end are left out.
            var first = 0
            while first < count, groups[first] == 0 { first += 1 }
            let size = UInt32(8 + 2 * (count - first))
            for shift in [UInt32(24), 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: size >> shift)) }
            _ = appendHeader(UInt16(count - first), Int16(max(0, count - 1)), value < 0 ? negative : 0, 0, &out)
            for place in stride(from: count - 1, through: first, by: -1) { appendWord(groups[place], &out) }
        }
    }

    /// Appends the binary form of a decimal text; false, and nothing appended, for a text that is none.
    static func append(_ text: String, to out: inout [UInt8]) -> Bool {
        switch text {
        case "NaN": return appendHeader(0, 0, notANumber, 0, &out)
        case "Infinity": return appendHeader(0, 0, positiveInfinity, 0, &out)
        case "-Infinity": return appendHeader(0, 0, negativeInfinity, 0, &out)
        default: break
        }
        var whole: [UInt8] = []
        var decimals: [UInt8] = []
        var isNegative = false
        var seenPoint = false
        for (index, character) in text.utf8.enumerated() {
            switch character {
            case UInt8(ascii: "-") where index == 0: isNegative = true
            case UInt8(ascii: "+") where index == 0: break
            case UInt8(ascii: ".") where !seenPoint: seenPoint = true
            case 48...57: if seenPoint { decimals.append(character - 48) } else { whole.append(character - 48) }
            default: return false
            }
        }
        let scale = decimals.count
        guard !(whole.isEmpty && decimals.isEmpty), scale <= 0x3FFF, whole.count <= 131_072 else { return false }
        // Groups of four, aligned at the decimal point.
        let padding = (4 - whole.count % 4) % 4
        var all = [UInt8](repeating: 0, count: padding)
        all += whole
        all += decimals
        all += [UInt8](repeating: 0, count: (4 - all.count % 4) % 4)
        var groups: [UInt16] = []
        for start in stride(from: 0, to: all.count, by: 4) {
            groups.append(all[start..<start + 4].reduce(0) { $0 * 10 + UInt16($1) })
        }
        var weight = (whole.count + padding) / 4 - 1
        while groups.last == 0 { groups.removeLast() }
        while groups.first == 0 {
            groups.removeFirst()
            weight -= 1
        }
        if groups.isEmpty { (weight, isNegative) = (0, false) }
        _ = appendHeader(UInt16(groups.count), Int16(weight), isNegative ? negative : 0, UInt16(scale), &out)
        for group in groups { appendWord(group, &out) }
        return true
    }

    private static func appendHeader(_ count: UInt16, _ weight: Int16, _ sign: UInt16, _ scale: UInt16, _ out: inout [UInt8]) -> Bool {
        for word in [count, UInt16(bitPattern: weight), sign, scale] { appendWord(word, &out) }
        return true
    }

    private static func appendWord(_ word: UInt16, _ out: inout [UInt8]) {
        out.append(UInt8(word >> 8))
        out.append(UInt8(truncatingIfNeeded: word))
    }
}
