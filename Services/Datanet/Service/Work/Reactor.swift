internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry

/// Does what nobody asks for: settles what was screened, draws panels, ends reviews and votes, lets passed rules take effect.
///
/// The state holds what is to do; a decision takes it off. So nothing is done twice, and nothing is forgotten by a crash.
actor Reactor {
    private let core: DatanetCore
    private var isBusy = false
    private var isWanted = false

    init(_ core: DatanetCore) { self.core = core }

    /// Works until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [core] in for await _ in await core.maker.changes() { await self.work() } }
            // Deadlines come without an event: the clock only wakes us up, the rules compare times of events.
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(500))
                    await self.work()
                }
            }
        }
    }

    private func work() async {
        isWanted = true
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        while isWanted, !Task.isCancelled {
            isWanted = false
            do { try await pass() } catch is CancellationError { return } catch {
                // What is left stays to do; it is tried again at the next change or tick.
                core.logger.warning("work is put off: \(error)")
            }
        }
    }

    private struct ToDo: Sendable {
        var pending: [Contribution]
        var undrawn: [Review]
        var over: [Review]
        var proposals: [String]
    }

    private func pass() async throws {
        let now = core.clock()
        let toDo = try await core.maker.query { state in
            ToDo(
                pending: state.pending.sorted { $0.key < $1.key }.prefix(64).compactMap { state.contributions[$0.value] },
                undrawn: state.undrawn.compactMap { state.reviews[$0] },
                over: state.sitting.compactMap { state.reviews[$0] }.filter { $0.isOver(at: now) },
                proposals: state.openProposals.filter {
                    state.proposals[$0].map { $0.isOver(at: now) || $0.isDue(at: now) } ?? false
                })
        }
        var failure: (any Error)?
        await withTaskGroup(of: (any Error)?.self) { group in
            for contribution in toDo.pending { group.addTask { await self.caught { try await self.settle(contribution) } } }
            for review in toDo.undrawn { group.addTask { await self.caught { try await self.draw(review) } } }
            for review in toDo.over { group.addTask { await self.caught { try await self.close(review) } } }
            for proposal in toDo.proposals { group.addTask { await self.caught { try await self.advance(proposal) } } }
            for await error in group where error != nil { failure = error }
        }
        if let failure { throw failure }
        // More may have waited than were taken.
        if toDo.pending.count == 64 { isWanted = true }
    }

    /// One that fails does not hold up the others.
    private nonisolated func caught(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch { return error }
    }

    private nonisolated func settle(_ contribution: Contribution) async throws {
        let items = try await core.lists.entries(contribution.items)
        _ = try await core.prepared {
            let plan = try await core.maker.query { state in
                AdmissionPlan(
                    state, contribution, items: items, judgingQuality: AdmissionRules.judgesQuality(state, contribution))
            }
            try await core.lists.put(plan.granted)
            return AdmissionRules.Prepared(items: items, plan: plan)
        } decide: { prepared in
            try await core.maker.decide(
                .event(id: contribution.event), causePosition: contribution.position, time: contribution.time, actor: DatanetCore.itself,
                correlation: contribution.correlation, rule { try AdmissionRules.settle($0, contribution.id, prepared, $1) })
        }
    }

    private nonisolated func draw(_ review: Review) async throws {
        guard let stream = StreamName(kind: "review", id: review.id),
            let opening = try await core.log.read(stream: stream, from: 0, limit: 1).first
        else { return }
        let size = opening.position + 1
        let root = try await core.root(size: size)
        let contribution = try await core.maker.query { try $0.contribution(review.contribution) }
        let owners = Set(try await core.lists.entries(contribution.items).map(\.owner))
        _ = try await core.maker.decide(
            .event(id: review.event), causePosition: opening.position, time: review.opened, actor: DatanetCore.itself,
            correlation: review.correlation,
            rule { try ReviewRules.draw($0, review.id, size: Int(size), root: root, owners: owners, $1) })
    }

    private nonisolated func close(_ review: Review) async throws {
        let contribution = try await core.maker.query { try $0.contribution(review.contribution) }
        let items = try await core.lists.entries(contribution.items)
        var present: Set<String> = []
        for list in contribution.admitted { present.formUnion(try await core.lists.entries(list).map(\.item)) }
        let already = present
        _ = try await core.prepared {
            let plan = try await core.maker.query { state in
                AdmissionPlan(state, contribution, items: items, judgingQuality: false, already: already)
            }
            try await core.lists.put(plan.granted)
            return AdmissionRules.Prepared(items: items, plan: plan, already: already)
        } decide: { prepared in
            try await core.maker.decide(
                Self.command("close", review.id), actor: DatanetCore.itself, correlation: review.correlation,
                rule { try ReviewRules.close($0, review.id, prepared, $1) })
        }
    }

    private nonisolated func advance(_ proposal: String) async throws {
        let closes = try await core.maker.decide(
            Self.command("close", proposal), actor: DatanetCore.itself, correlation: proposal,
            rule { try ProposalRules.close($0, proposal, $1) })
        guard closes.facts.isEmpty || closes.isRepeat else { return }
        _ = try await core.maker.decide(
            Self.command("enact", proposal), actor: DatanetCore.itself, correlation: proposal,
            rule { try ProposalRules.enact($0, proposal, $1) })
    }

    /// What the clock brings about has an id made from what it is about: whoever does it, it is done once.
    private static func command(_ verb: String, _ id: String) -> Cause {
        let text = "openledger/datanet/\(verb)/\(id)"
        return .command(id: text, digest: SHA256.hash(utf8: text))
    }
}
