internal import AttributionDomain
internal import Blobs
internal import CorpusIndex
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry
internal import Threads

/// Works off the two to-do lists, in the log's order: indexes for snapshots, attributions for answers; and corrections by rulings.
///
/// Each event is caused by the event it reacts to, so whatever happens in between, a restart or a second instance, it is on the log once.
actor AttributionDesk {
    nonisolated let maker: DecisionMaker<AttributionState>
    nonisolated let keeper: IndexKeeper
    private let gathering: Gathering
    private let passages: PassageTexts
    private let evidence: EvidenceStore
    private let logger: Logger
    /// Why something cannot be done now, by what it is.
    private var troubles: [Work: String] = [:]
    /// Snapshots that can never be indexed; spans are not looked for in them.
    private var unbuildable: Set<String> = []
    /// Rulings that change nothing.
    private var idle: Set<EventID> = []
    /// Up to where withdrawals have been taken out of the indexes.
    private var cleaned: UInt64?

    /// Wakes a worker.
    private var bells: [Work: AsyncStream<Void>.Continuation] = [:]

    /// How many answers are worked on side by side.
    private static let width = 16

    private enum Work: String, Sendable {
        case indexes, attributions
    }

    init(
        maker: DecisionMaker<AttributionState>, keeper: IndexKeeper, gathering: Gathering, passages: PassageTexts, evidence: EvidenceStore,
        logger: Logger
    ) {
        self.maker = maker
        self.keeper = keeper
        self.gathering = gathering
        self.passages = passages
        self.evidence = evidence
        self.logger = logger
    }

    /// Why work is held up; nil when it is not.
    var trouble: String? { troubles.sorted { $0.key.rawValue < $1.key.rawValue }.first.map { "\($0.key.rawValue): \($0.value)" } }

    /// Works until the task is cancelled.
    nonisolated func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.maker.run() }
            group.addTask { await self.work(.indexes) }
            group.addTask { await self.work(.attributions) }
            await group.waitForAll()
        }
    }

    private func work(_ work: Work) async {
        let (calls, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        bells[work] = bell
        let following = Task { [maker] in
            for await _ in await maker.changes() { bell.yield() }
            bell.finish()
        }
        defer { following.cancel() }
        for await _ in calls {
            var pause = Duration.milliseconds(50)
            while !Task.isCancelled {
                do {
                    let isMore = work == .indexes ? try await buildNext() : try await attributeNext()
                    troubles[work] = nil
                    pause = .milliseconds(50)
                    if !isMore { break }
                } catch {
                    if Task.isCancelled { return }
                    troubles[work] = "\(error)"
                    logger.warning("\(work.rawValue) wait: \(error)")
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(5))
                }
            }
        }
    }

    // MARK: Indexes

    /// Builds the oldest index that is missing, or takes items that were withdrawn out of those that are there.
    /// - Returns: whether there may be more to do.
    private func buildNext() async throws -> Bool {
        let skipped = unbuildable
        guard let task = try await maker.query({ $0.indexTask(without: skipped) }) else { return try await clean() }
        let snapshot = task.snapshot
        let built: IndexBuilt
        do { built = try await keeper.build(task) } catch let error as CorpusIndexError where error.isForEver {
            giveUp(snapshot.published.snapshot, error)
            return true
        } catch let error as AttributionTrouble {
            guard case .tooMuchContent = error else { throw error }
            giveUp(snapshot.published.snapshot, error)
            return true
        }
        guard let stream = StreamName(kind: "index", id: built.index) else { return false }
        try await react(to: snapshot.trigger) { state in
            state.indexes[built.snapshot] == nil ? [NewEvent(built, stream: stream)] : []
        }
        return true
    }

    /// Answers no longer wait for the index of this snapshot.
    private func giveUp(_ snapshot: String, _ error: any Error) {
        logger.error("a snapshot cannot be indexed", ["snapshot": .string(snapshot), "error": .string("\(error)")])
        unbuildable.insert(snapshot)
        bells[.attributions]?.yield()
    }

    /// Takes what was withdrawn out of the indexes, once all answers from before it are attributed.
    private func clean() async throws -> Bool {
        let found = try await maker.query { state in
            (
                state.withdrawals, state.waiting.firstPosition, state.indexes.keys.compactMap { state.snapshots[$0]?.published },
                state.admissions
            )
        }
        let (withdrawals, first, indexed, admissions) = found
        guard let last = withdrawals.last, cleaned.map({ $0 < last }) ?? true else { return false }
        let end = min(last, first.map { $0 == 0 ? 0 : $0 - 1 } ?? last)
        if let cleaned, cleaned >= end { return false }
        for published in indexed.sorted(by: { $0.snapshot < $1.snapshot }) {
            let gone = try await keeper.items(of: published).filter {
                withdrawals.isGone($0, admitted: admissions[$0.contribution] ?? 0, before: end + 1)
            }
            if !gone.isEmpty { try await keeper.remove(Set(gone.map(\.item)), from: published) }
        }
        await passages.forget()
        cleaned = end
        return false
    }

    // MARK: Attributions

    /// Attributes the first answers that wait; those after one that cannot be attributed now wait with it.
    /// - Returns: whether there may be more to do.
    private func attributeNext() async throws -> Bool {
        if try await correctNext() { return true }
        let skipped = unbuildable
        let tasks = try await maker.query { $0.tasks(limit: Self.width) }
        // An index that is being built is waited for: what an answer is paid for must not hang on who was faster.
        let ready = tasks.prefix { task in
            task.sources.allSatisfy { $0.index != nil || skipped.contains($0.published.snapshot) }
        }
        guard !ready.isEmpty else { return false }
        let attempts = await Self.compute(Array(ready), gathering, skipped)
        for (task, attempt) in zip(ready, attempts) {
            let computed = try attempt.outcome.get()
            for bytes in computed.documents { _ = try await evidence.put(canonical: bytes) }
            guard let stream = StreamName(kind: "attribution", id: computed.event.attribution) else { return false }
            try await react(to: task.trigger) { state in
                state.byInference[computed.event.inference] == nil ? [NewEvent(computed.event, stream: stream)] : []
            }
        }
        return true
    }

    /// An event, and the documents that it names.
    private struct Computed: Sendable {
        let event: AttributionComputed
        let documents: [[UInt8]]
    }

    /// What came of one answer, by its place among those that were looked at together.
    private struct Attempt: Sendable {
        let place: Int
        let outcome: Result<Computed, any Error>
    }

    /// Several answers side by side, in their order.
    private static func compute(_ tasks: [AttributionTask], _ gathering: Gathering, _ unbuildable: Set<String>) async -> [Attempt] {
        await withTaskGroup(of: Attempt.self) { group in
            for (place, task) in tasks.enumerated() {
                group.addTask {
                    do {
                        return Attempt(place: place, outcome: .success(try await compute(task, gathering, unbuildable)))
                    } catch {
                        return Attempt(place: place, outcome: .failure(error))
                    }
                }
            }
            var attempts: [Attempt] = []
            attempts.reserveCapacity(tasks.count)
            for await attempt in group { attempts.append(attempt) }
            return attempts.sorted { $0.place < $1.place }
        }
    }

    private static func compute(_ task: AttributionTask, _ gathering: Gathering, _ unbuildable: Set<String>) async throws -> Computed {
        let material = try await gathering.material(for: task, unbuildable: unbuildable)
        return try await OSThread.run(name: "attribution") {
            let statement = try material.statement()
            let bytes = try statement.bytes()
            let (list, long) = try EvidenceList.of(try statement.shares())
            let event = AttributionComputed(
                attribution: statement.attribution, inference: statement.inference, model: statement.model, version: statement.version,
                rules: statement.rules, methods: try statement.methods(), fallback: try statement.isFallback(), shares: list,
                evidence: SHA256.hash(bytes), missing: statement.missing)
            return Computed(event: event, documents: [bytes] + [long].compactMap(\.self))
        }
    }

    // MARK: Corrections

    /// A ruling that penalised owners takes them out of the attribution that it is about.
    private func correctNext() async throws -> Bool {
        let idle = idle
        let found = try await maker.query { state in
            state.corrections.first { !idle.contains($0.trigger.event) }.flatMap { correction in
                state.attributions[correction.attribution].map { (correction, $0.evidence) }
            }
        }
        guard let (correction, digest) = found else { return false }
        let statement = try AttributionStatement(json: try await evidence.bytes(digest))
        let corrected = statement.excluding(correction.ruling.penalties.map(\.principal))
        guard try corrected.shares() != statement.shares() else {
            self.idle.insert(correction.trigger.event)
            return true
        }
        let bytes = try corrected.bytes()
        let (list, long) = try EvidenceList.of(try corrected.shares())
        for document in [bytes] + [long].compactMap(\.self) { _ = try await evidence.put(canonical: document) }
        let event = AttributionCorrected(
            attribution: correction.attribution, ruling: correction.ruling.ruling, shares: list, evidence: SHA256.hash(bytes))
        guard let stream = StreamName(kind: "attribution", id: event.attribution) else { return false }
        try await react(to: correction.trigger) { state in
            state.attributions[event.attribution]?.rulings.contains(event.ruling) == false ? [NewEvent(event, stream: stream)] : []
        }
        return true
    }

    private func react(
        to trigger: Trigger, _ rule: @escaping @Sendable (AttributionState) throws -> [NewEvent]
    ) async throws {
        _ = try await maker.decide(
            trigger.cause, causePosition: trigger.position, time: trigger.time, actor: Service.attribution.rawValue,
            correlation: trigger.correlation
        ) { state, _ in try rule(state) }
    }
}
