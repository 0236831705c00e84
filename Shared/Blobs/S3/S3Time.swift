internal import Glibc

/// A moment in the basic ISO 8601 form that signatures use.
struct S3Time: Equatable {
    /// `YYYYMMDDTHHMMSSZ`.
    let stamp: String
    /// `YYYYMMDD`.
    var day: String { String(stamp.prefix(8)) }

    /// - Parameter seconds: since 1970, UTC.
    init(seconds: Int) {
        // Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil's inverse).
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let rest = seconds % 86_400
        stamp =
            Self.padded(year, 4) + Self.padded(month, 2) + Self.padded(day, 2) + "T" + Self.padded(rest / 3600, 2)
            + Self.padded(rest / 60 % 60, 2) + Self.padded(rest % 60, 2) + "Z"
    }

    static var now: S3Time { S3Time(seconds: time(nil)) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
