internal import AttributionDomain
internal import Blobs
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry

/// Works off the two to-do lists, in the log's order: indexes for snapshots, attributions for answers; and corrections by rulings.
///
/// Each event is caused by the event it reacts to, so whatever happens in between, a restart or a second instance, it is on the log once.
/// What fails again and again while others do not is put off by itself: it is passed over, tried again ever more seldom, and shown.
actor AttributionDesk {
    nonisolated let maker: DecisionMaker<AttributionState>
    nonisolated let keeper: IndexKeeper
    let log: any LogClient
    let gathering: Gathering
    let passages: PassageTexts
    let evidence: EvidenceStore
    let logger: Logger
    let figures: AttributionFigures
    /// Why everything is held up, by what it is.
    private var troubles: [Work: String] = [:]
    /// Snapshots that can never be indexed; spans are not looked for in them.
    var unbuildable: Set<String> = []
    /// Rulings that change nothing.
    var idle: Set<EventID> = []
    /// Up to where withdrawals have been taken out of the indexes.
    var cleaned: UInt64?
    var late = LateWork()

    /// Wakes a worker.
    private var bells: [Work: AsyncStream<Void>.Continuation] = [:]
    private var alarms: [Work: Task<Void, Never>] = [:]

    enum Work: String, Sendable {
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
    var lateness: String? { late.description }

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
                figures.lateAnswers.set(Double(late.answers.count))
                figures.lateSnapshots.set(Double(late.snapshots.count))
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
        guard let due = work == .indexes ? late.nextIndex : late.nextAttribution, let bell = bells[work] else { return }
        let time = max(due, .now + .milliseconds(50))
        alarms[work] = Task {
            do { try await Task.sleep(until: time, clock: .continuous) } catch { return }
            bell.yield()
        }
    }

    /// Rings for a worker, which may have something to do.
    func ring(_ work: Work) { bells[work]?.yield() }

    /// Appends what follows from an event that was read, once.
    func react(
        to trigger: Trigger, _ rule: @escaping @Sendable (AttributionState) throws -> [NewEvent]
    ) async throws {
        _ = try await maker.decide(
            trigger.cause, causePosition: trigger.position, time: trigger.time, actor: Service.attribution.rawValue,
            correlation: trigger.correlation
        ) { state, _ in try rule(state) }
    }
}
