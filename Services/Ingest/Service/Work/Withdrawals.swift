internal import Crypto
internal import Decisions
internal import Events
internal import IngestDomain
internal import Telemetry

/// Takes back each contribution of those who took back all of theirs, and what each has of an author who did. The state says what is left to
/// do, so whatever stops this between two of them, none is forgotten and none is taken back twice.
struct Withdrawals: Sendable {
    let maker: DecisionMaker<IngestState>
    let places: ItemPlaces
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
        try await workForContributors()
        try await workForAuthors()
    }

    private func workForContributors() async throws {
        while true {
            let due = try await maker.query { state in
                state.toWithdraw.keys.sorted().prefix(Self.most).compactMap { state.contributions[$0]?.submitted }
            }
            if due.isEmpty { return }
            for outcome in await maker.decide(all: due.map(Self.request)) { _ = try outcome.get() }
        }
    }

    /// Does what authors asked for, one contribution at a time: each may have many items of theirs.
    private func workForAuthors() async throws {
        while let work = try await maker.query({
            $0.authoredToWithdraw.keys.min { ($0.contribution, $0.author) < ($1.contribution, $1.author) }
        }) {
            let known = try await maker.query { ($0.contributions[work.contribution], $0.claimedBy[work.author]) }
            guard let contribution = known.0, let principal = known.1 else { throw IngestRefusal.noContribution(work.contribution) }
            let items = try await places.items(of: work.author, in: contribution)
            guard !items.isEmpty else { throw IngestRefusal.noItem(work.contribution) }
            let command = "openledger/ingest/withdrawal/\(work.contribution)/\(work.author)"
            _ = try await maker.decide(
                .command(id: command, digest: SHA256.hash(utf8: command)), actor: principal, correlation: work.contribution
            ) { state, _ in
                // Somebody else was faster.
                guard state.authoredToWithdraw[work] != nil else { return [] }
                return try AuthorRules.withdraw(state, work, items: items, actor: principal)
            }
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
