internal import AgentGatewayDomain
internal import Decisions
internal import HTTP
internal import Synchronization
internal import Threads
internal import Web

/// Takes no new answers while too many wait for their attribution: whoever shaped them would be paid later and later. How many that is
/// follows from the log, and is looked up once a second at most.
final class AttributionLag: Sendable {
    private struct Seen: Sendable {
        var waiting = 0
        var until: ContinuousClock.Instant?
    }

    private let maker: DecisionMaker<GatewayState>
    private let limit: Int
    private let seen = Lock(Seen())

    /// - Parameter limit: the most answers that may wait.
    init(_ maker: DecisionMaker<GatewayState>, limit: Int) {
        self.maker = maker
        self.limit = limit
    }

    /// Why no answer is taken now; nil when one is.
    func refusal() async -> Problem? {
        guard let waiting = await waiting(), waiting > limit else { return nil }
        let text = "\(waiting) answers wait for their attribution, and \(limit) may: try again in 10 s"
        return Problem(OpenAIProblems.overloaded, text, headers: ["Retry-After": "10"])
    }

    /// Nil when it cannot be known now, which other parts of an answer will say.
    private func waiting() async -> Int? {
        let now = ContinuousClock.now
        if let known = seen.withLock({ seen in seen.until.map { $0 > now } ?? false ? seen.waiting : nil }) { return known }
        guard let waiting = try? await maker.query({ $0.unattributed }) else { return nil }
        seen.withLock { $0 = Seen(waiting: waiting, until: .now + .seconds(1)) }
        return waiting
    }
}
