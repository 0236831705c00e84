/// So much in any minute, as a bucket that runs out evenly: the generic cell rate algorithm (ITU-T I.371), in whole nanoseconds.
struct RateMeter: Sendable {
    /// When the bucket is empty again.
    private var emptyAt: ContinuousClock.Instant?

    private static let minute: Int128 = 60_000_000_000
    private static let largest: Int128 = 1 << 80

    /// Takes a share of the limit.
    /// - Returns: nil when it was there; else how long until it is, with nothing taken. What is more than the whole limit never is:
    ///   then the answer is a minute.
    mutating func take(_ amount: Int128, of limit: Int128, at now: ContinuousClock.Instant) -> Duration? {
        guard amount <= limit, limit > 0 else { return .seconds(60) }
        let start = max(emptyAt ?? now, now)
        let end = start + Self.time(amount, limit)
        let over = (end - now) - .seconds(60)
        guard over <= .zero else { return over }
        emptyAt = end
        return nil
    }

    /// Gives back what was not used.
    mutating func giveBack(_ amount: Int128, of limit: Int128) {
        guard limit > 0, let emptyAt else { return }
        self.emptyAt = emptyAt - Self.time(min(amount, limit), limit)
    }

    /// Sets right what was taken by an estimate: less was used, or more, which later requests then wait for.
    /// - Parameter amount: what was used beyond what was taken; below zero what was not used of it.
    mutating func correct(_ amount: Int128, of limit: Int128, at now: ContinuousClock.Instant) {
        guard limit > 0, amount > 0 else { return giveBack(-amount, of: limit) }
        emptyAt = max(emptyAt ?? now, now) + Self.time(amount, limit)
    }

    /// What could be taken now.
    func left(of limit: Int128, at now: ContinuousClock.Instant) -> Int128 {
        guard limit > 0 else { return 0 }
        let free = Self.minute - Self.nanoseconds(max(.zero, (emptyAt ?? now) - now))
        // By parts, which no limit overflows.
        let (times, rest) = limit.quotientAndRemainder(dividingBy: Self.minute)
        return max(0, times * free + rest * free / Self.minute)
    }

    /// How long until all of it could be taken.
    func full(at now: ContinuousClock.Instant) -> Duration { max(.zero, (emptyAt ?? now) - now) }

    func isEmpty(at now: ContinuousClock.Instant) -> Bool { (emptyAt ?? now) <= now }

    private static func time(_ amount: Int128, _ limit: Int128) -> Duration {
        var (amount, limit) = (amount, limit)
        // Nobody sees the last digits of sums that have so many.
        while max(amount, limit) > Self.largest { (amount, limit) = (amount / 2 + 1, limit / 2) }
        return .nanoseconds(Int64(clamping: (amount * minute + max(1, limit) - 1) / max(1, limit)))
    }

    private static func nanoseconds(_ time: Duration) -> Int128 {
        Int128(time.components.seconds) * 1_000_000_000 + Int128(time.components.attoseconds) / 1_000_000_000
    }
}
