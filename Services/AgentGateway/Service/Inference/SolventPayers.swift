internal import Synchronization
internal import Threads

/// Payers whose last hold was placed a moment ago. For them a model begins to think while the next hold is on its way to the disk: they
/// hear nothing before it is there, and who can't pay any more costs one beginning that is thrown away.
final class SolventPayers: Sendable {
    /// How long a hold speaks for its payer.
    private static let trust = Duration.seconds(60)
    /// Most that are remembered.
    private static let most = 10_000

    private let placed = Lock<[String: ContinuousClock.Instant]>([:])

    /// Whether the payer's last hold was placed within the time that it is trusted for.
    func contains(_ payer: String) -> Bool {
        placed.withLock { placed in placed[payer].map { ContinuousClock.now - $0 < Self.trust } ?? false }
    }

    /// A hold was placed.
    func insert(_ payer: String) {
        placed.withLock { placed in
            if placed.count >= Self.most, placed[payer] == nil { placed.removeAll() }
            placed[payer] = .now
        }
    }

    /// A hold was refused.
    func remove(_ payer: String) { placed.withLock { $0[payer] = nil } }
}
