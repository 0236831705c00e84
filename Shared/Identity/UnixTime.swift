internal import Glibc

/// Seconds since 1970, as tokens count them (RFC 7519 §2, NumericDate).
public enum UnixTime {
    /// The wall clock's second.
    public static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }

    /// The sum, or the nearest value that there is: a token may name any second.
    static func add(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? (b > 0 ? .max : .min) : sum
    }
}
