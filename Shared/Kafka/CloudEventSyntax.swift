/// The forms of attributes' names and values (CloudEvents 1.0.2 §3.1; RFC 3986, RFC 3339, RFC 2046 for what it refers to).
enum CloudEventSyntax {
    /// Lower-case ASCII letters and digits.
    static func isAttributeName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }

    /// Neither control characters nor Unicode's non-characters. (Surrogates can't be in a Swift string.)
    static func isText(_ value: String) -> Bool {
        value.unicodeScalars.allSatisfy { scalar in
            let c = scalar.value
            return c >= 0x20 && !(0x7F...0x9F).contains(c) && !(0xFDD0...0xFDEF).contains(c) && c & 0xFFFE != 0xFFFE
        }
    }

    /// A URI reference: RFC 3986's characters, percent signs with two hex digits, and no colon in the first segment
    /// of a relative path. Not empty.
    static func isURIReference(_ value: String) -> Bool {
        guard !value.isEmpty, hasURICharacters(value) else { return false }
        let head = value.utf8.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard let colon = head.firstIndex(of: UInt8(ascii: ":")) else { return true }
        return isScheme(value.utf8[..<colon])
    }

    /// A URI with a scheme.
    static func isAbsoluteURI(_ value: String) -> Bool {
        guard isURIReference(value), let colon = value.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return isScheme(value.utf8[..<colon])
    }

    private static func isScheme(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func hasURICharacters(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        var fragments = 0
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else { return false }
            case UInt8(ascii: "#"): fragments += 1
            case _ where isLetter(byte) || isDigit(byte): break
            case _ where "-._~:/?[]@!$&'()*+,;=".utf8.contains(byte): break
            default: return false
            }
        }
        return fragments <= 1
    }

    /// `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)` with a day that the calendar has. A leap second is allowed.
    static func isTimestamp(_ value: String) -> Bool {
        let b = Array(value.utf8)
        guard b.count >= 20, b.count <= 64 else { return false }
        func number(_ from: Int, _ length: Int) -> Int? {
            guard from + length <= b.count, b[from..<from + length].allSatisfy(isDigit) else { return nil }
            return b[from..<from + length].reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2),
            b[4] == 45, b[7] == 45, b[10] == UInt8(ascii: "T") || b[10] == UInt8(ascii: "t"), b[13] == 58, b[16] == 58,
            (1...12).contains(month), (1...daysIn(month, year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return false }
        var at = 19
        if b[at] == UInt8(ascii: ".") {
            let start = at + 1
            at = start
            while at < b.count, isDigit(b[at]) { at += 1 }
            guard at > start, at < b.count else { return false }
        }
        if b[at] == UInt8(ascii: "Z") || b[at] == UInt8(ascii: "z") { return at == b.count - 1 }
        guard b[at] == UInt8(ascii: "+") || b[at] == UInt8(ascii: "-"), b.count == at + 6, b[at + 3] == 58,
            let offsetHour = number(at + 1, 2), let offsetMinute = number(at + 4, 2)
        else { return false }
        return offsetHour < 24 && offsetMinute < 60
    }

    private static func daysIn(_ month: Int, _ year: Int) -> Int {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: leap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// `type/subtype` of RFC 2045's tokens, and parameters of printable ASCII after a semicolon.
    static func isMediaType(_ value: String) -> Bool {
        let parts = value.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let essence = parts.first else { return false }
        let names = essence.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard names.count == 2, names.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isToken) }) else { return false }
        return parts.count == 1 || (!parts[1].isEmpty && parts[1].allSatisfy { (0x20...0x7E).contains($0) })
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "!#$%&'*+-.^_`{|}~".utf8.contains(byte)
    }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
