internal import Glibc

/// A failed call of the system.
struct SystemError: Error {
    let call: String
    let code: Int32
}

/// The result of a call that answers with -1 and `errno`.
@discardableResult
func checked(_ call: String, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(call: call, code: errno) }
    return result
}

/// Nanoseconds of a clock that only goes forward.
func monotonic() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds, never negative, at most some three hundred years.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return UInt64(min(seconds, 9_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
