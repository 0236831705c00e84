internal import Decisions
internal import Events
internal import JSON
internal import Telemetry
internal import TrainingDomain

/// Who works on what at this moment: leases, heartbeats, live figures. Nothing here is a fact; after a restart running jobs are
/// given again once their runner has been silent for as long as a lease lasts.
actor JobDesk {
    /// How long a runner may be silent before another gets its job.
    let lease: Duration

    /// What a runner last told.
    struct Progress: Sendable {
        var attempt: Int
        var seen: ContinuousClock.Instant
        /// When its tokens last grew.
        var counted: ContinuousClock.Instant
        var report: JSONValue
        var number: Int
    }

    private let maker: DecisionMaker<TrainingState>
    private let logger: Logger
    private let started = ContinuousClock.now
    private var progress: [String: Progress] = [:]
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var lastWatcher = 0
    private var checks: [String: Look] = [:]
    /// Runners that were given a job last, and not a look.
    private var workers: Set<String> = []
    /// How long another's runner may work without being further than before.
    private let stall: Duration
    /// What runners say that they can do.
    private var known: [String: Known] = [:]

    /// What a runner says that it has, and whether it asks for work.
    private struct Known {
        var bases: Set<String>?
        var features: Set<String>?
        /// Requests that wait for an answer.
        var asking = 0
        var seen = ContinuousClock.now

        func can(_ request: JobRequested) -> Bool { has(request.base) && request.needs.allSatisfy { features?.contains($0) ?? true } }
        func has(_ base: String) -> Bool { bases?.contains(base) ?? true }
    }

    /// A look at somebody's work.
    private struct Look {
        var attempt: Int
        var seen: ContinuousClock.Instant
        var count = 1
    }

    /// Looks that come to nothing before the house does the job itself.
    private static let mostLooks = 3
    private var speed: Double?

    init(maker: DecisionMaker<TrainingState>, lease: Duration, stall: Duration, logger: Logger) {
        self.stall = stall
        self.maker = maker
        self.lease = lease
        self.logger = logger
    }

    func run() async {
        await withTaskGroup { group in
            group.addTask { [maker] in await maker.run() }
            group.addTask { await self.watchSilence() }
            // Open requests look again when something was decided: a runner that waits gets a job at once.
            for await _ in await maker.changes() {
                ring()
                if Task.isCancelled { break }
            }
            group.cancelAll()
        }
    }

    /// Open requests look again, too, when a runner has been silent for too long: no event tells that.
    private func watchSilence() async {
        while (try? await Task.sleep(for: min(lease / 8, .seconds(1)))) != nil {
            if let silent = try? await silent(), !silent.isEmpty { ring() }
        }
    }

    /// The jobs whose runner has gone silent, with the attempt that has.
    func silent() async throws -> [String: Int] {
        let (running, others) = try await maker.query { state in
            let open = state.open.compactMap { state.jobs[$0] }.filter { $0.status == .running || $0.status == .checking }
            return (open, Set(open.filter { $0.runner.map { state.runners.registered[$0] != nil } ?? false }.map(\.request.job)))
        }
        let now = ContinuousClock.now
        let late = running.filter { job in
            let id = job.request.job
            if job.status == .checking {
                guard let look = checks[id], look.attempt == job.attempt else { return false }
                return look.count >= Self.mostLooks && now - look.seen > lease
            }
            let told = progress[id]
            // Who holds a job and does nothing loses it too.
            if others.contains(id), let told, told.attempt == job.attempt, now - told.counted > stall { return true }
            return now - (told?.seen ?? started) > lease
        }
        return Dictionary(uniqueKeysWithValues: late.map { ($0.request.job, $0.attempt) })
    }

    /// A runner has begun, or says how far it is.
    /// - Parameter parameters: the base model's.
    func heard(_ job: String, attempt: Int, _ report: JSONValue, parameters: Int? = nil) {
        if let before = progress[job], before.attempt == attempt, let parameters, let now = report["tokens"]?.intValue,
            let then = before.report["tokens"]?.intValue, now > then
        {
            let passed = (ContinuousClock.now - before.counted) / .seconds(1)
            let seen = Double(now - then) * Double(parameters) / passed
            // What a runner says of itself must not make estimates that nobody could read.
            if passed > 0 { speed = min(max(seen, Self.slowest), Self.fastest) }
        }
        let isNew = progress[job]?.report["tokens"]?.intValue != report["tokens"]?.intValue || progress[job]?.attempt != attempt
        let counted = isNew ? ContinuousClock.now : progress[job]?.counted ?? .now
        let number = (progress[job]?.number ?? 0) + 1
        progress[job] = Progress(attempt: attempt, seen: .now, counted: counted, report: report, number: number)
        ring()
    }

    /// How long tokens take on a base model, by what runners last told; by what one core of a server does before they told anything.
    func seconds(tokens: Int, parameters: Int) -> (seconds: Int, isMeasured: Bool) {
        let speed = speed ?? Self.usualSpeed
        let seconds = min((Double(tokens) * Double(parameters) / speed).rounded(.up), Self.longest)
        return (max(1, Int(seconds)), self.speed != nil)
    }

    private static let slowest = 1e6, fastest = 1e18
    /// Longer than this, in seconds, nobody waits.
    private static let longest = 1e12

    /// Parameters times tokens in a second: the embedded engine on one core with 512-bit vectors.
    private static let usualSpeed = 1.8e10

    // MARK: Looking at others' work

    /// Takes somebody's work to be looked at, unless another does and was heard of within a lease.
    func takeCheck(_ job: String, attempt: Int) -> Bool {
        guard let last = checks[job], last.attempt == attempt else {
            checks[job] = Look(attempt: attempt, seen: .now)
            return true
        }
        if ContinuousClock.now - last.seen <= lease || last.count >= Self.mostLooks { return false }
        checks[job] = Look(attempt: attempt, seen: .now, count: last.count + 1)
        return true
    }

    /// Who looks at it still does.
    func keepCheck(_ job: String) { checks[job]?.seen = .now }

    /// Whether it is a runner's turn to look at others' work, before it gets a job.
    func looksFirst(_ runner: String) -> Bool { workers.contains(runner) }

    /// A runner was given something.
    func gave(_ runner: String, look: Bool) {
        if look { workers.remove(runner) } else { workers.insert(runner) }
    }

    // MARK: What runners can do

    /// Runners that are remembered, at most.
    private static let mostKnown = 10_000

    /// A runner asks for work.
    func asks(_ candidate: TrainingRules.Candidate) {
        let before = known[candidate.runner]
        if before == nil, known.count >= Self.mostKnown { known = known.filter { isThere($0.value) } }
        guard before != nil || known.count < Self.mostKnown else { return }
        known[candidate.runner] = Known(bases: candidate.bases, features: candidate.features, asking: (before?.asking ?? 0) + 1)
    }

    /// It has its answer, or asks no more.
    func asked(_ runner: String) {
        known[runner]?.asking -= 1
        known[runner]?.seen = .now
    }

    private func isThere(_ known: Known) -> Bool { known.asking > 0 || ContinuousClock.now - known.seen <= lease * 2 }

    /// Why nobody takes a job that waits: of the runners that ask for work or have some, none has what it needs. Nil where one has it, and
    /// while it is too early to say.
    /// - Parameter busy: runners that work on something.
    func lacking(_ request: JobRequested, busy: Set<String>) -> String? {
        guard ContinuousClock.now - started > lease * 2 else { return nil }
        let there = known.filter { isThere($0.value) || busy.contains($0.key) }.values
        guard !there.contains(where: { $0.can(request) }) else { return nil }
        if there.isEmpty { return "no runner asks for work" }
        guard there.contains(where: { $0.has(request.base) }) else {
            return "no runner that asks for work has the base model \(request.base)"
        }
        return "no runner that asks for work has the base model \(request.base) and can do \(request.needs.joined(separator: ", "))"
    }

    /// The last report on a job.
    func progress(of job: String) -> Progress? { progress[job] }

    /// Yields when a job may stand otherwise than before.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        lastWatcher += 1
        let number = lastWatcher
        watchers[number] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forget(number) } }
        continuation.yield()
        return stream
    }

    private func forget(_ number: Int) { watchers[number] = nil }

    private func ring() { for watcher in watchers.values { watcher.yield() } }
}
