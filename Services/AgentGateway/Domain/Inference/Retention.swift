public import Events

/// How long the texts of an answer are kept: what the payer chose, and less when the request says so.
public enum Retention {
    /// Days that may be chosen.
    public static let range = 1...3_650
    /// Days that the texts of a request are kept which asks that they are not stored: attribution and a dispute that is opened at once
    /// still find them.
    public static let shortest = 1

    /// The last day on which the texts can be read, such as `2026-12-01` in UTC; nil when no end is set.
    /// - Parameters:
    ///   - days: what the payer chose.
    ///   - isStored: false when the request asks that its texts are not stored.
    ///   - time: when they are kept.
    public static func lastDay(days: Int?, isStored: Bool, from time: Timestamp) -> String? {
        guard let days = isStored ? days : shortest else { return nil }
        return day(after: days, from: time)
    }

    /// The day of a moment in UTC, or one that comes so many days later.
    public static func day(after days: Int = 0, from time: Timestamp) -> String {
        let moment = time.microseconds.addingReportingOverflow(Int64(days) * 86_400_000_000)
        let last = Timestamp(microseconds: moment.overflow ? .max : moment.partialValue)
        return String(min(last, .maximum).description.prefix(10))
    }
}
