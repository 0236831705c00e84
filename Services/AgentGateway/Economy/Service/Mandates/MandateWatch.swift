internal import AgentEconomyDomain
internal import Decisions
internal import Synchronization
internal import Threads

/// Tells whoever is in the midst of spending under a mandate that it has ended, by itself or with one above it.
final class MandateWatch: Sendable {
    private struct Watcher {
        let mandate: String
        let ended: @Sendable () -> Void
    }

    private struct State {
        /// By the authorisation.
        var watchers: [String: Watcher] = [:]
        /// How many mandates had ended when all watchers were last looked at.
        var seen = 0
    }

    private let maker: DecisionMaker<EconomyState>
    private let state = Lock(State())

    init(_ maker: DecisionMaker<EconomyState>) { self.maker = maker }

    /// Calls `ended` once when the mandate has ended, at once where it has already.
    func begin(_ authorization: String, under mandate: String, _ ended: @escaping @Sendable () -> Void) async {
        state.withLock { $0.watchers[authorization] = Watcher(mandate: mandate, ended: ended) }
        // It may have ended before it was watched.
        if (try? await maker.query { $0.hasEnded(mandate) }) == true { ring(authorization) }
    }

    /// What it was spent for is over.
    func end(_ authorization: String) { state.withLock { $0.watchers[authorization] = nil } }

    /// Follows the log until the task is cancelled.
    func run() async {
        for await _ in await maker.changes() {
            let (seen, watched) = state.withLock { ($0.seen, $0.watchers.mapValues(\.mandate)) }
            if watched.isEmpty { continue }
            let look = try? await maker.query { state -> (endings: Int, ended: [String]) in
                guard state.endings != seen else { return (seen, []) }
                return (state.endings, watched.filter { state.hasEnded($0.value) }.map(\.key))
            }
            guard let look else { continue }
            state.withLock { $0.seen = look.endings }
            for authorization in look.ended { ring(authorization) }
        }
    }

    private func ring(_ authorization: String) { state.withLock { $0.watchers.removeValue(forKey: authorization) }?.ended() }
}
