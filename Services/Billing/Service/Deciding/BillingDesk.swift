internal import BillingDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry

/// Where everything is decided: commands, reactions to other services' events, and what falls due.
actor BillingDesk {
    typealias Rule = @Sendable (BillingState, DecisionContext) throws -> Decision

    nonisolated let maker: DecisionMaker<BillingState>
    nonisolated let store: EvidenceStore
    nonisolated let shelf: EvidenceShelf
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    /// Reactions that asked for nothing.
    private var idle: Set<EventID> = []
    /// Reactions that could not be decided, and are left out until all others are.
    private var stuck: Set<EventID> = []
    /// Reactions that are being decided.
    private var inHand: Set<EventID> = []
    /// Why a reaction cannot be decided, until it can.
    private(set) var trouble: String?

    init(_ log: any LogClient, store: EvidenceStore, clock: @escaping @Sendable () -> Timestamp, logger: Logger) {
        let shelf = EvidenceShelf()
        self.shelf = shelf
        self.store = store
        self.clock = clock
        self.logger = logger
        maker = DecisionMaker(
            .billing, log: EvidenceLog(log: log, store: store, shelf: shelf), clock: clock, logger: logger
        ) { BillingState { shelf.bytes($0) } }
    }

    /// Decides; lists that the events name by hash are in the evidence store before the events are on the log.
    nonisolated func decide(
        _ cause: Cause, position: UInt64? = nil, time: Timestamp? = nil, actor: String, correlation: String, _ rule: @escaping Rule
    ) async throws -> Outcome {
        while true {
            do {
                return try await maker.decide(
                    cause, causePosition: position, time: time, actor: actor, correlation: correlation, ready(rule))
            } catch let needed as EvidenceNeeded {
                for (digest, bytes) in needed.lists {
                    _ = try await store.put(canonical: bytes)
                    shelf.put(digest, bytes)
                }
            } catch {
                guard let digest = Self.needed(error) else { throw error }
                shelf.put(digest, try await store.bytes(digest))
            }
        }
    }

    /// The same rule, which asks first for the lists that its events name by hash.
    private nonisolated func ready(_ rule: @escaping Rule) -> DecisionMaker<BillingState>.Rule {
        { [shelf] state, context in
            let decision = try rule(state, context)
            if !decision.evidence.isEmpty {
                let missing = decision.evidence.filter { shelf.bytes($0.key) == nil }
                if !missing.isEmpty { throw EvidenceNeeded(lists: missing) }
            }
            return decision.newEvents
        }
    }

    /// The list without which a rule could not decide.
    private static func needed(_ error: any Error) -> Digest? {
        if case BillingError.needsEvidence(let digest) = error { digest } else { nil }
    }

    private struct EvidenceNeeded: Error {
        let lists: [Digest: [UInt8]]
    }

    /// Works until the task is cancelled.
    nonisolated func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.maker.run() }
            group.addTask { await self.reactToAll() }
            group.addTask { await self.sweepAlways() }
            await group.waitForAll()
        }
    }

    // MARK: Reactions

    /// At most this many reactions are asked for at once, and twice as many are being decided.
    private static let reactionsAtOnce = 1_024

    /// So many lots are decided without looking up.
    private static let lotsAtOnce = 64

    /// How long reactions give way.
    private static let courtesy = Duration.milliseconds(3)

    private func reactToAll() async {
        for await _ in await maker.changes() {
            var pause = Duration.milliseconds(20)
            // Who asks for a hold waits for it, and nobody for a reaction: what a change leads to gives way for a moment, and then comes with
            // more of its kind.
            try? await Task.sleep(for: Self.courtesy)
            while !Task.isCancelled {
                guard let isDone = try? await reactOnce(), !isDone else { break }
                if trouble != nil {
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(5))
                }
            }
        }
    }

    /// Reacts to what waits, lot after lot: while one is on its way to the log the next is asked for, so that there is always something to
    /// decide. What cannot be decided holds up nobody else: it is tried again once all others are decided.
    /// - Returns: whether nothing waits any more.
    private func reactOnce() async throws -> Bool {
        var lot = try await nextLot()
        if lot.isEmpty, !stuck.isEmpty {
            stuck = []
            lot = try await nextLot()
        }
        guard !lot.isEmpty else {
            trouble = nil
            return true
        }
        var failures: [String] = []
        var (lots, deciding) = (1, begin(lot))
        while true {
            // What fails is told of, and stopping is heeded, however much there is.
            let isEnough = Task.isCancelled || !failures.isEmpty || lots == Self.lotsAtOnce
            let next = isEnough ? [] : (try? await nextLot()) ?? []
            let following = next.isEmpty ? nil : begin(next)
            for attempt in await deciding.value {
                switch attempt.outcome {
                case .success(true): break
                case .success(false): idle.insert(attempt.event)
                case .failure(let error):
                    stuck.insert(attempt.event)
                    failures.append("\(attempt.event): \(error)")
                }
            }
            // Of a fee and what shares it out only one is attempted: none of the lot is in hand any more.
            inHand.subtract(lot.map(\.event))
            guard let following else { break }
            (lot, deciding, lots) = (next, following, lots + 1)
        }
        trouble = failures.first
        if let trouble { logger.error("cannot react: \(trouble)", ["failures": .integer(Int64(failures.count))]) }
        return false
    }

    /// What waits and is not being decided. A look at what is still on its way to the log is enough: each decision looks again.
    private func nextLot() async throws -> [PendingReaction] {
        let aside = idle.union(stuck).union(inHand)
        return try await maker.glance { $0.pendingReactions(limit: Self.reactionsAtOnce, without: aside) }
    }

    private func begin(_ lot: [PendingReaction]) -> Task<[Attempt], Never> {
        for reaction in lot { inHand.insert(reaction.event) }
        return Task { await self.decideAll(lot) }
    }

    /// What came of one reaction: whether it made events.
    private struct Attempt: Sendable {
        let event: EventID
        let outcome: Result<Bool, any Error>
    }

    /// Decides these together: fees first, since what shares them out needs them, and else in the log's order. What shares a fee out takes it
    /// as well, if nobody has.
    private nonisolated func decideAll(_ pending: [PendingReaction]) async -> [Attempt] {
        var shared: Set<String> = []
        for pending in pending { if case .settle(let attribution) = pending.reaction { shared.insert(attribution.inference) } }
        let reactions = pending.filter { $0.charged.map { !shared.contains($0) } ?? false } + pending.filter { $0.charged == nil }
        let requests = reactions.map { pending in
            DecisionMaker<BillingState>.Request(
                .event(id: pending.event), causePosition: pending.position, time: pending.time, actor: "billing",
                correlation: pending.event.text, ready(Self.answer(to: pending)))
        }
        var attempts: [Attempt] = []
        attempts.reserveCapacity(reactions.count)
        var others: [PendingReaction] = []
        for (reaction, result) in zip(reactions, await maker.decide(all: requests)) {
            switch result {
            case .success(let outcome): attempts.append(Attempt(event: reaction.event, outcome: .success(!outcome.facts.isEmpty)))
            case .failure(let error) where error is EvidenceNeeded || Self.needed(error) != nil: others.append(reaction)
            case .failure(let error): attempts.append(Attempt(event: reaction.event, outcome: .failure(error)))
            }
        }
        return attempts + (await attempt(others))
    }

    private static func answer(to pending: PendingReaction) -> Rule {
        { state, context in try state.answer(to: pending, now: context.logTime) }
    }

    /// Each alone and side by side, with the lists that its events name put into the evidence store.
    private nonisolated func attempt(_ reactions: [PendingReaction]) async -> [Attempt] {
        if reactions.isEmpty { return [] }
        return await withTaskGroup(of: Attempt.self) { group in
            for reaction in reactions { group.addTask { await self.attempt(reaction) } }
            var attempts: [Attempt] = []
            attempts.reserveCapacity(reactions.count)
            for await attempt in group { attempts.append(attempt) }
            return attempts
        }
    }

    private nonisolated func attempt(_ pending: PendingReaction) async -> Attempt {
        do {
            let outcome = try await decide(
                .event(id: pending.event), position: pending.position, time: pending.time, actor: "billing",
                correlation: pending.event.text, Self.answer(to: pending))
            return Attempt(event: pending.event, outcome: .success(!outcome.facts.isEmpty))
        } catch {
            return Attempt(event: pending.event, outcome: .failure(error))
        }
    }

    // MARK: What falls due

    private nonisolated func sweepAlways() async {
        while !Task.isCancelled {
            do {
                while try await sweep() {}
            } catch {
                logger.warning("what is due is not done yet: \(error)")
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Does part of what is due.
    /// - Returns: whether there was any.
    nonisolated func sweep() async throws -> Bool {
        let now = clock()
        guard try await maker.query({ $0.isDue(at: now) || !$0.payouts(on: SandboxRail.name).isEmpty }) else { return false }
        let id = "sweep:" + Hex.encode(Random.bytes(16))
        let outcome = try await decide(
            .command(id: id, digest: SHA256.hash(utf8: "sweep")), actor: "billing", correlation: id
        ) { state, context in
            var decision = try state.sweep(now: context.logTime)
            decision.append(try SandboxRail().finish(state))
            return decision
        }
        return !outcome.facts.isEmpty
    }
}

extension PendingReaction {
    /// The answer whose fee is due; nil for what asks for something else.
    fileprivate var charged: String? { if case .charge(let inference) = reaction { inference.inference } else { nil } }
}
