import Web

/// Waits for a check to say that it is ready, and names it when that takes long.
struct ReadinessWait: Sendable {
    private let check: ReadinessCheck

    init(_ check: ReadinessCheck) { self.check = check }

    /// Waits for as long as it takes.
    /// - Parameters:
    ///   - patience: after how long it is told, and again after as long, what it waits for.
    ///   - isGivenUp: whether to wait no longer.
    ///   - tell: hears that, in a sentence.
    /// - Throws: ``Interrupted`` when it is given up.
    func run(
        patience: Duration, isGivenUp: @Sendable () -> Bool = { false }, tell: @Sendable (String) -> Void
    ) async throws {
        let clock = ContinuousClock()
        let started = clock.now
        var next = patience
        while true {
            let state = await check.state()
            guard case .notReady(let reason) = state else { return }
            if isGivenUp() { throw Interrupted() }
            let waited = started.duration(to: clock.now)
            if waited >= next {
                tell("not ready after \(waited.components.seconds) s: \(check.name) waits: \(reason)")
                next = waited + patience
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
