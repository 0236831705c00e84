/// A moment in UTC, counted in microseconds since 1970-01-01T00:00:00Z.
///
/// Its text is RFC 3339 with exactly six fractional digits and the letter `Z`, so that equal moments have equal bytes.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since the Unix epoch.
    public let microseconds: Int64

    /// The last moment with a four-digit year.
    public static let maximum = Timestamp(microseconds: 253_402_300_799_999_999)

    /// A moment by its distance from the Unix epoch.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Reads the one accepted form, `2026-11-21T10:55:00.000000Z`; anything else is nil.
    public init?(_ text: some StringProtocol) { self.init(utf8: Array(text.utf8)[...]) }

    /// Reads the one accepted form from its bytes.
    public init?(utf8: ArraySlice<UInt8>) { self.init(digits: utf8) }

    init?<Bytes: RandomAccessCollection>(digits utf8: Bytes) where Bytes.Element == UInt8, Bytes.Index == Int {
        guard utf8.count == 27 else { return nil }
        let base = utf8.startIndex
        func number(_ from: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for index in base + from..<base + from + count {
                let digit = utf8[index]
                guard digit >= 0x30, digit <= 0x39 else { return nil }
                value = value * 10 + Int64(digit - 0x30)
            }
            return value
        }
        func has(_ character: Character, _ at: Int) -> Bool { utf8[base + at] == character.asciiValue }
        guard has("-", 4), has("-", 7), has("T", 10), has(":", 13), has(":", 16), has(".", 19), has("Z", 26),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), let fraction = number(20, 6),
            year >= 1970, (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, year: year), hour < 24,
            minute < 60, second < 60
        else { return nil }
        let seconds = ((Self.daysFromEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        microseconds = seconds * 1_000_000 + fraction
    }

    /// RFC 3339, UTC, six fractional digits.
    public var description: String {
        let seconds = microseconds.floorDivided(by: 1_000_000)
        let fraction = microseconds - seconds * 1_000_000
        let day = seconds.floorDivided(by: 86_400)
        let second = seconds - day * 86_400
        let (year, month, date) = Self.civil(fromDays: day)
        var text: [UInt8] = []
        text.reserveCapacity(27)
        func put(_ value: Int64, _ width: Int) {
            var divisor: Int64 = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(0x30 + (value / divisor) % 10))
                divisor /= 10
            }
        }
        put(year, 4)
        text.append(UInt8(ascii: "-"))
        put(month, 2)
        text.append(UInt8(ascii: "-"))
        put(date, 2)
        text.append(UInt8(ascii: "T"))
        put(second / 3600, 2)
        text.append(UInt8(ascii: ":"))
        put(second / 60 % 60, 2)
        text.append(UInt8(ascii: ":"))
        put(second % 60, 2)
        text.append(UInt8(ascii: "."))
        put(fraction, 6)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Earlier moments come first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    // Proleptic Gregorian calendar by 400-year eras that begin on 1 March: leap days fall at the end of a year.
    private static func daysFromEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = (shiftedMonth + 2) % 12 + 1
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(inMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
