internal import AttributionDomain
internal import Blobs
internal import CorpusIndex
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import JSON
internal import Telemetry
internal import Threads

/// Works off the two to-do lists, in the log's order: indexes for snapshots, attributions for answers; and corrections by rulings.
///
/// Each event is caused by the event it reacts to, so whatever happens in between, a restart or a second instance, it is on the log once.
/// What fails again and again while others do not is put off by itself: it is passed over, tried again ever more seldom, and shown.
actor AttributionDesk {
    nonisolated let maker: DecisionMaker<AttributionState>
    nonisolated let keeper: IndexKeeper
    private let log: any LogClient
    private let gathering: Gathering
    private let passages: PassageTexts
    private let evidence: EvidenceStore
    private let logger: Logger
    private let figures: AttributionFigures
    /// Why everything is held up, by what it is.
    private var troubles: [Work: String] = [:]
    /// Snapshots that can never be indexed; spans are not looked for in them.
    private var unbuildable: Set<String> = []
    /// Rulings that change nothing.
    private var idle: Set<EventID> = []
    /// Up to where withdrawals have been taken out of the indexes.
    private var cleaned: UInt64?
    private var lateSnapshots = Delays<String>(.milliseconds(50), upTo: .seconds(15))
    private var lateAnswers = Delays<UInt64>(.seconds(1), upTo: .seconds(60))
    private var lateRulings = Delays<EventID>(.seconds(1), upTo: .seconds(60))
    /// How often answers failed that are not passed over yet.
    private var failures: [UInt64: Int] = [:]
    /// Answers that are passed over because their snapshot cannot be indexed now.
    private var blocked: [String: Set<UInt64>] = [:]

    /// Wakes a worker.
    private var bells: [Work: AsyncStream<Void>.Continuation] = [:]
    private var alarms: [Work: Task<Void, Never>] = [:]

    /// How many answers are worked on side by side.
    private static let width = 16
    /// After so many failures something is passed over.
    private static let patience = 5

    private enum Work: String, Sendable {
        case indexes, attributions
    }

    init(
        maker: DecisionMaker<AttributionState>, log: any LogClient, keeper: IndexKeeper, gathering: Gathering, passages: PassageTexts,
        evidence: EvidenceStore, logger: Logger, figures: AttributionFigures
    ) {
        self.maker = maker
        self.log = log
        self.keeper = keeper
        self.gathering = gathering
        self.passages = passages
        self.evidence = evidence
        self.logger = logger
        self.figures = figures
    }

    /// Why work is held up; nil when it is not.
    var trouble: String? { troubles.sorted { $0.key.rawValue < $1.key.rawValue }.first.map { "\($0.key.rawValue): \($0.value)" } }

    /// What is put off, with a reason; nil when nothing is.
    var lateness: String? {
        var parts: [String] = []
        if let one = lateSnapshots.example { parts.append("\(lateSnapshots.count) snapshots, as \(one.key): \(one.reason)") }
        if let one = lateAnswers.example { parts.append("\(lateAnswers.count) answers, as the one at \(one.key): \(one.reason)") }
        if let one = lateRulings.example { parts.append("\(lateRulings.count) rulings, as \(one.key): \(one.reason)") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

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
        defer {
            following.cancel()
            alarms[work]?.cancel()
        }
        for await _ in calls {
            var pause = Duration.milliseconds(50)
            while !Task.isCancelled {
                figures.lateAnswers.set(Double(lateAnswers.count))
                figures.lateSnapshots.set(Double(lateSnapshots.count))
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
            wake(work)
        }
    }

    /// Wakes a worker when the first thing that was put off is due.
    private func wake(_ work: Work) {
        alarms[work]?.cancel()
        let due = work == .indexes ? lateSnapshots.next : [lateAnswers.next, lateRulings.next].compactMap(\.self).min()
        guard let due, let bell = bells[work] else { return }
        let time = max(due, .now + .milliseconds(50))
        alarms[work] = Task {
            do { try await Task.sleep(until: time, clock: .continuous) } catch { return }
            bell.yield()
        }
    }

    // MARK: Indexes

    /// Builds the oldest index that is missing, or takes items that were withdrawn out of those that are there.
    /// - Returns: whether there may be more to do.
    private func buildNext() async throws -> Bool {
        let late = lateSnapshots.keys
        for name in try await maker.query({ state in late.filter { state.indexes[$0] != nil } }) {
            lateSnapshots.done(name)
            unblock(name)
        }
        let skipped = unbuildable.union(lateSnapshots.waiting(at: .now))
        guard let task = try await maker.query({ $0.indexTask(without: skipped) }) else { return try await clean() }
        let name = task.snapshot.published.snapshot
        do { try await build(task) } catch {
            try Task.checkCancellation()
            if Self.isForEver(error) {
                giveUp(name, error)
            } else {
                logger.warning("a snapshot is not indexed yet", ["snapshot": .string(name), "error": .describing(error)])
                lateSnapshots.failed(name, "\(error)", at: .now)
                // Answers that wait for it let others pass.
                bells[.attributions]?.yield()
            }
            return true
        }
        lateSnapshots.done(name)
        unblock(name)
        return true
    }

    private func build(_ task: IndexTask) async throws {
        let built = try await keeper.build(task)
        guard let stream = StreamName(kind: "index", id: built.index) else { return }
        try await react(to: task.snapshot.trigger) { state in
            state.indexes[built.snapshot] == nil ? [NewEvent(built, stream: stream)] : []
        }
    }

    private static func isForEver(_ error: any Error) -> Bool {
        switch error {
        case let error as CorpusIndexError: error.isForEver
        case AttributionTrouble.tooMuchContent: true
        default: false
        }
    }

    /// Answers no longer wait for the index of this snapshot.
    private func giveUp(_ snapshot: String, _ error: any Error) {
        logger.error("a snapshot cannot be indexed", ["snapshot": .string(snapshot), "error": .string("\(error)")])
        unbuildable.insert(snapshot)
        lateSnapshots.done(snapshot)
        unblock(snapshot)
    }

    private func unblock(_ snapshot: String) {
        for position in blocked.removeValue(forKey: snapshot) ?? [] { lateAnswers.done(position) }
        bells[.attributions]?.yield()
    }

    /// Takes what was withdrawn out of the indexes, once all answers from before it are attributed, but for those that are put off.
    private func clean() async throws -> Bool {
        let late = lateAnswers.keys
        let found = try await maker.query { state in
            (
                state.withdrawals, state.waiting.firstPosition(without: late),
                state.indexes.keys.compactMap { state.snapshots[$0]?.published },
                state.admissions
            )
        }
        let (withdrawals, first, indexed, admissions) = found
        guard let last = withdrawals.last, cleaned.map({ $0 < last }) ?? true else { return false }
        let end = min(last, first.map { $0 == 0 ? 0 : $0 - 1 } ?? last)
        if let cleaned, cleaned >= end { return false }
        var failure: (any Error)?
        for published in indexed.sorted(by: { $0.snapshot < $1.snapshot }) {
            do {
                let gone = try await keeper.items(of: published).filter {
                    withdrawals.isGone($0, admitted: admissions[$0.contribution] ?? 0, before: end + 1)
                }
                if !gone.isEmpty { try await keeper.remove(Set(gone.map(\.item)), from: published) }
            } catch {
                try Task.checkCancellation()
                failure = failure ?? error
            }
        }
        await passages.forget()
        if let failure { throw failure }
        cleaned = end
        return false
    }

    // MARK: Attributions

    /// Attributes the first answers that wait, in their order. One that cannot be attributed now holds up those after it for some tries, and
    /// is then passed over, if others can.
    /// - Returns: whether there may be more to do.
    private func attributeNext() async throws -> Bool {
        if try await correctNext() { return true }
        let tasks = try await nextTasks()
        let (skipped, stuck) = (unbuildable, lateSnapshots.failing(Self.patience))
        var ready: [AttributionTask] = []
        var isPassedOver = false
        for task in tasks {
            let lacking = task.sources.first { $0.index == nil && !skipped.contains($0.published.snapshot) }?.published.snapshot
            guard let lacking else {
                ready.append(task)
                continue
            }
            // An index that is being built is waited for: what an answer is paid for must not hang on who was faster.
            guard stuck.contains(lacking) else { break }
            blocked[lacking, default: []].insert(task.trigger.position)
            lateAnswers.failed(task.trigger.position, "its snapshot \(lacking) is not indexed", at: .now)
            isPassedOver = true
        }
        guard !ready.isEmpty else { return isPassedOver }
        let attempts = await Self.compute(ready, gathering, evidence, skipped)
        let (done, stopped) = passing(ready, attempts)
        var failure = stopped
        for (one, result) in zip(done, await maker.decide(all: done.map(Self.request))) {
            if case .failure(let error) = result {
                failure = failure ?? error
                continue
            }
            failures[one.task.trigger.position] = nil
            lateAnswers.done(one.task.trigger.position)
            figures.attributed.add(1)
        }
        if let failure { throw failure }
        return true
    }

    /// The answers that can go on: those before the first that failed, and what is behind one that failed again and again while others did
    /// not.
    private func passing(
        _ tasks: [AttributionTask], _ attempts: [Attempt]
    ) -> (done: [(task: AttributionTask, computed: Computed)], failure: (any Error)?) {
        let areOthersFine = attempts.contains { if case .success = $0.outcome { true } else { false } }
        var done: [(task: AttributionTask, computed: Computed)] = []
        for (task, attempt) in zip(tasks, attempts) {
            switch attempt.outcome {
            case .success(let computed): done.append((task, computed))
            case .failure(let error):
                let position = task.trigger.position
                failures[position, default: 0] += 1
                guard areOthersFine, failures[position, default: 0] >= Self.patience else { return (done, error) }
                logger.warning(
                    "an answer is passed over", ["inference": .string(task.inference.inference), "error": .describing(error)])
                lateAnswers.failed(position, "\(error)", at: .now)
            }
        }
        return (done, nil)
    }

    /// The first answers that wait and are not put off. What is not kept of them is read from the log.
    private func nextTasks() async throws -> [AttributionTask] {
        let (late, all) = (lateAnswers.waiting(at: .now), lateAnswers.keys)
        let (waiting, gone, places, tasks) = try await maker.query { state in
            let places = state.waiting.first(Self.width, without: late)
            let entries = places.compactMap(\.entry)
            let gone = all.filter { !state.waiting.contains(position: $0) }
            return (state.waiting.count, gone, places, entries.count == places.count ? entries.map(state.task) : [])
        }
        figures.waiting.set(Double(waiting))
        // Another instance may have attributed what was put off here.
        for position in gone { lateAnswers.done(position) }
        guard tasks.count < places.count else { return tasks }
        var entries: [WaitingInferences.Entry] = []
        for place in places {
            if let entry = place.entry {
                entries.append(entry)
                continue
            }
            guard let logged = try await log.read(from: place.position, limit: 1, wait: nil).events.first else { break }
            let fact = try Fact(logged)
            entries.append(
                WaitingInferences.Entry(
                    completed: try InferenceCompleted(fact.data.object()), trigger: Trigger(fact, position: place.position)))
        }
        let read = entries
        return try await maker.query { state in read.map(state.task) }
    }

    private static func request(
        _ done: (task: AttributionTask, computed: Computed)
    ) -> DecisionMaker<AttributionState>.Request {
        let (trigger, computed) = (done.task.trigger, done.computed)
        return DecisionMaker<AttributionState>.Request(
            trigger.cause, causePosition: trigger.position, time: trigger.time, actor: Service.attribution.rawValue,
            correlation: trigger.correlation
        ) { state, _ in
            state.byInference[computed.event.inference] == nil ? [NewEvent(computed.event, stream: computed.stream)] : []
        }
    }

    /// An event whose documents are kept.
    private struct Computed: Sendable {
        let event: AttributionComputed
        let stream: StreamName
    }

    /// What came of one answer, by its place among those that were looked at together.
    private struct Attempt: Sendable {
        let place: Int
        let outcome: Result<Computed, any Error>
    }

    /// Several answers side by side, in their order, each with its documents in the evidence store.
    private static func compute(
        _ tasks: [AttributionTask], _ gathering: Gathering, _ evidence: EvidenceStore, _ unbuildable: Set<String>
    ) async -> [Attempt] {
        await withTaskGroup(of: Attempt.self) { group in
            for (place, task) in tasks.enumerated() {
                group.addTask {
                    do {
                        return Attempt(place: place, outcome: .success(try await compute(task, gathering, evidence, unbuildable)))
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

    private static func compute(
        _ task: AttributionTask, _ gathering: Gathering, _ evidence: EvidenceStore, _ unbuildable: Set<String>
    ) async throws -> Computed {
        let material = try await gathering.material(for: task, unbuildable: unbuildable)
        let (event, documents) = try await OSThread.run(name: "attribution") { try Self.event(material) }
        for bytes in documents { _ = try await evidence.put(canonical: bytes) }
        guard let stream = StreamName(kind: "attribution", id: event.attribution) else {
            throw AttributionTrouble.answer(.attribution, "cannot name a stream for \(event.attribution)")
        }
        return Computed(event: event, stream: stream)
    }

    private static func event(_ material: AnswerMaterial) throws -> (AttributionComputed, [[UInt8]]) {
        let statement = try material.statement()
        let bytes = try statement.bytes()
        let (list, long) = try EvidenceList.of(try statement.shares())
        let event = AttributionComputed(
            attribution: statement.attribution, inference: statement.inference, model: statement.model, version: statement.version,
            rules: statement.rules, methods: try statement.methods(), fallback: try statement.isFallback(), shares: list,
            evidence: SHA256.hash(bytes), missing: statement.missing)
        return (event, [bytes] + [long].compactMap(\.self))
    }

    // MARK: Corrections

    /// A ruling that penalised owners takes them out of the attribution that it is about. One that cannot be followed now is put off.
    private func correctNext() async throws -> Bool {
        let skipped = idle.union(lateRulings.waiting(at: .now))
        let found = try await maker.query { state in
            state.corrections.first { !skipped.contains($0.trigger.event) }.flatMap { correction in
                state.attributions[correction.attribution].map { (correction, $0.evidence, state.owners) }
            }
        }
        guard let (correction, digest, names) = found else { return false }
        do { try await correct(correction, digest, names) } catch {
            try Task.checkCancellation()
            logger.warning("a ruling is not followed yet", ["ruling": .string(correction.ruling.ruling), "error": .describing(error)])
            lateRulings.failed(correction.trigger.event, "\(error)", at: .now)
            return true
        }
        lateRulings.done(correction.trigger.event)
        return true
    }

    private func correct(_ correction: AttributionState.Correction, _ digest: Digest, _ names: OwnerNames) async throws {
        let statement = try AttributionStatement(json: try await evidence.bytes(digest))
        let corrected = statement.corrected(by: correction.ruling, at: correction.trigger.position, names: names)
        guard try corrected.shares() != statement.shares() else {
            idle.insert(correction.trigger.event)
            return
        }
        let bytes = try corrected.bytes()
        let (list, long) = try EvidenceList.of(try corrected.shares())
        for document in [bytes] + [long].compactMap(\.self) { _ = try await evidence.put(canonical: document) }
        let event = AttributionCorrected(
            attribution: correction.attribution, ruling: correction.ruling.ruling, shares: list, evidence: SHA256.hash(bytes))
        guard let stream = StreamName(kind: "attribution", id: event.attribution) else { return }
        try await react(to: correction.trigger) { state in
            state.attributions[event.attribution]?.rulings.contains(event.ruling) == false ? [NewEvent(event, stream: stream)] : []
        }
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
