internal import Synchronization
internal import Threads

/// Counts failed authentications per peer, so that guessing and forging cost the guesser and not the server.
///
/// A bucket per address: `burst` failures at once, one more every `refill`. The table is bounded; when it is full the address
/// whose last failure is oldest is forgotten.
final class FailureLimiter: Sendable {
    private struct Bucket {
        /// When the bucket will be empty again; failures push it on.
        var emptyAt: ContinuousClock.Instant
    }

    private let buckets = Lock<[String: Bucket]>([:])
    private let burst: Int
    private let refill: Duration
    private let capacity: Int

    init(burst: Int = 20, refill: Duration = .seconds(3), capacity: Int = 4096) {
        self.burst = burst
        self.refill = refill
        self.capacity = capacity
    }

    /// How long this peer must wait, nil when it may try.
    func wait(_ peer: String, now: ContinuousClock.Instant) -> Duration? {
        buckets.withLock { buckets in
            guard let bucket = buckets[peer] else { return nil }
            let over = (bucket.emptyAt - now) - refill * (burst - 1)
            return over > .zero ? over : nil
        }
    }

    /// Notes a failure of this peer.
    func fail(_ peer: String, now: ContinuousClock.Instant) {
        buckets.withLock { buckets in
            if buckets[peer] == nil, buckets.count >= capacity {
                buckets = buckets.filter { $0.value.emptyAt > now }
                if buckets.count >= capacity, let oldest = buckets.min(by: { $0.value.emptyAt < $1.value.emptyAt }) {
                    buckets[oldest.key] = nil
                }
            }
            buckets[peer] = Bucket(emptyAt: max(buckets[peer]?.emptyAt ?? now, now) + refill)
        }
    }

    /// Addresses held at the moment.
    var count: Int { buckets.withLock { $0.count } }
}
