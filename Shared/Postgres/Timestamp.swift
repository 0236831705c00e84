/// The server counts microseconds from 2000-01-01; everybody else from 1970-01-01.
enum Timestamp {
    private static let epochs: Int64 = 946_684_800_000_000

    /// Microseconds since 1970 of the server's value; nil where they do not fit 64 bits (the year 294246 and later).
    static func fromServer(_ value: Int64) -> Int64? {
        if value == .max || value == .min { return value }
        let (sum, overflow) = value.addingReportingOverflow(epochs)
        return overflow ? nil : sum
    }

    /// The server's value; nil where it does not fit.
    static func toServer(_ value: Int64) -> Int64? {
        if value == .max || value == .min { return value }
        let (difference, overflow) = value.subtractingReportingOverflow(epochs)
        return overflow ? nil : difference
    }
}
