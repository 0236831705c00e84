internal import Synchronization

/// Counts observations in fixed buckets. An observation is a few nanoseconds: a search and two atomic additions.
public final class Histogram: Sendable {
    /// Most buckets of a histogram, the one for everything above included.
    public static let maximumBuckets = 24

    /// Upper bounds in seconds that suit requests: 100 µs to 10 s.
    public static let latency: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Upper bounds in bytes: 64 B to 64 MiB.
    public static let size: [Double] = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864]

    let bounds: [Double]
    private let cells = InlineArray<24, Atomic<UInt64>> { _ in Atomic(0) }
    private let sumBits = Atomic<UInt64>(0)

    init(bounds: [Double]) { self.bounds = bounds }

    /// Counts one observation. NaN is dropped: it would spoil the sum for ever.
    public func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        cells[index].wrappingAdd(1, ordering: .relaxed)
        sumBits.addDouble(value)
    }

    /// Runs `body` and observes its seconds, also when it throws.
    public func time<Result, Failure: Error>(_ body: () async throws(Failure) -> Result) async throws(Failure) -> Result {
        let start = ContinuousClock.now
        defer { observe((ContinuousClock.now - start).inSeconds) }
        return try await body()
    }

    /// Observations so far in each bucket, the one above the last bound included, and the sum of all.
    public var snapshot: (counts: [UInt64], sum: Double) {
        ((0...bounds.count).map { cells[$0].load(ordering: .relaxed) }, Double(bitPattern: sumBits.load(ordering: .relaxed)))
    }
}

extension Duration {
    /// The duration as seconds.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
