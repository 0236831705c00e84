internal import Crypto
internal import Decisions
internal import Events
internal import IngestDomain
internal import Telemetry

/// Takes back each contribution of those who took back all of theirs. The state says what is left to do, so whatever stops this between
/// two of them, none is forgotten and none is taken back twice.
struct Withdrawals: Sendable {
    let maker: DecisionMaker<IngestState>
    let logger: Logger
    /// At most so many are asked for at a time, so that others get their turn.
    private static let most = 200

    /// Works until the task is cancelled.
    func run() async {
        for await _ in await maker.changes() {
            do { try await work() } catch is CancellationError { return } catch {
                // What is left stays to do; it is tried again at the log's next change.
                logger.warning("withdrawals are put off: \(error)")
            }
        }
    }

    /// Does all that there is to do now.
    func work() async throws {
        while true {
            let due = try await maker.query { state in
                state.toWithdraw.keys.sorted().prefix(Self.most).compactMap { state.contributions[$0]?.submitted }
            }
            if due.isEmpty { return }
            for outcome in await maker.decide(all: due.map(Self.request)) { _ = try outcome.get() }
        }
    }

    private static func request(_ submitted: ContributionSubmitted) -> DecisionMaker<IngestState>.Request {
        let (id, contributor) = (submitted.contribution, submitted.contributor)
        // Whoever does it, it is done once.
        let command = "openledger/ingest/withdrawal/\(id)"
        return DecisionMaker.Request(
            .command(id: command, digest: SHA256.hash(utf8: command)), actor: contributor, correlation: id
        ) { state, _ in try IngestRules.withdraw(state, id, items: [], owners: [], actor: contributor) }
    }
}
