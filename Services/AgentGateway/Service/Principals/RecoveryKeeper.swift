internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Telemetry

/// Tells of the keys that a recovery has ended and for which its own append had no room. It is read from the state, so what a crash left
/// undone is done after it, and of two gateways one tells each part.
struct RecoveryKeeper: Sendable {
    let maker: DecisionMaker<GatewayState>
    let logger: Logger

    func run() async {
        for await _ in await maker.changes() {
            var pause = Duration.milliseconds(50)
            while !Task.isCancelled {
                do {
                    while try await tell() {}
                    break
                } catch {
                    logger.warning("not all keys that a recovery has ended were told of yet: \(error)")
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(5))
                }
            }
        }
    }

    /// Tells of one part.
    /// - Returns: whether there was any.
    func tell() async throws -> Bool {
        guard try await maker.query({ !$0.keysToEnd.isEmpty }) else { return false }
        let id = PrincipalRules.restStep + Hex.encode(Random.bytes(16))
        let outcome = try await maker.decide(
            .command(id: id, digest: SHA256.hash(utf8: "rest")), actor: "agent-gateway", correlation: id, PrincipalRules.endRest())
        return !outcome.facts.isEmpty
    }
}
