/// Growing pauses with jitter, so that many who failed together do not come back together.
struct Backoff {
    private var current: Duration
    private let maximum: Duration

    init(initial: Duration, maximum: Duration) {
        current = initial
        self.maximum = maximum
    }

    /// A pause between half and the whole of the present step, which then doubles.
    mutating func next() -> Duration {
        let step = min(current, maximum)
        current = min(current * 2, maximum)
        return step * Double.random(in: 0.5...1)
    }
}
