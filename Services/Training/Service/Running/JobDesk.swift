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
        var report: JSONValue
        var number: Int
    }

    private let maker: DecisionMaker<TrainingState>
    private let logger: Logger
    private let started = ContinuousClock.now
    private var progress: [String: Progress] = [:]
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var lastWatcher = 0

    init(maker: DecisionMaker<TrainingState>, lease: Duration, logger: Logger) {
        self.maker = maker
        self.lease = lease
        self.logger = logger
    }

    func run() async {
        let following = Task { [maker] in await maker.run() }
        // Open requests look again when something was decided: a runner that waits gets a job at once.
        for await _ in await maker.changes() {
            ring()
            if Task.isCancelled { break }
        }
        following.cancel()
        await following.value
    }

    /// The jobs whose runner has gone silent, with the attempt that has.
    func silent() async throws -> [String: Int] {
        let running = try await maker.query { state in state.open.compactMap { state.jobs[$0] }.filter { $0.status == .running } }
        let late = running.filter { ContinuousClock.now - (progress[$0.request.job]?.seen ?? started) > lease }
        return Dictionary(uniqueKeysWithValues: late.map { ($0.request.job, $0.attempt) })
    }

    /// A runner has begun, or says how far it is.
    func heard(_ job: String, attempt: Int, _ report: JSONValue) {
        let number = (progress[job]?.number ?? 0) + 1
        progress[job] = Progress(attempt: attempt, seen: .now, report: report, number: number)
        ring()
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
