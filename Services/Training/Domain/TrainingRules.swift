public import Crypto
public import Decisions
public import Events
public import Money

/// What training decides.
public enum TrainingRules {
    /// A base model becomes known. Its name belongs to who registered it first.
    public static func register(_ base: BaseModelRegistered) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            if let known = state.bases[base.model] {
                guard known.owner == base.owner else { throw TrainingError.forbidden("\(base.model) was registered by somebody else") }
                if known == base { return [] }
            }
            return [NewEvent(base, stream: try stream("base-model", base.model))]
        }
    }

    /// What a job needs to begin.
    public struct Request: Sendable {
        /// Who asks for it, and pays.
        public var owner: String
        /// The base model's name.
        public var base: String
        /// What it shall learn from.
        public var snapshots: [(datanet: String, number: Int)]
        /// How it shall learn.
        public var settings: TrainingSettings
        /// SHA-256 of the settings' canonical JSON.
        public var settingsDigest: Digest
        /// For a million tokens seen.
        public var price: Amount
        /// The hold on the fee; nil when nobody is asked for money.
        public var hold: String?

        /// From its parts.
        public init(
            owner: String, base: String, snapshots: [(datanet: String, number: Int)], settings: TrainingSettings, settingsDigest: Digest,
            price: Amount, hold: String?
        ) {
            self.owner = owner
            self.base = base
            self.snapshots = snapshots
            self.settings = settings
            self.settingsDigest = settingsDigest
            self.price = price
            self.hold = hold
        }
    }

    /// What a job would cost, and whether it may run at all.
    /// - Parameter leftOut: tokens of the snapshots that are handed out no more.
    public static func quote(
        _ request: Request, _ state: TrainingState, at logTime: Timestamp, leftOut: Int = 0
    ) throws -> TrainingQuote {
        guard state.bases[request.base] != nil else { throw TrainingError.notFound("base model \(request.base)") }
        guard !request.snapshots.isEmpty else {
            throw TrainingError.invalid(field: "/snapshots", reason: "must name at least one snapshot")
        }
        var tokens = 0
        for (index, wanted) in request.snapshots.enumerated() {
            guard let snapshot = state.snapshot(wanted.datanet, wanted.number) else {
                throw TrainingError.notFound("snapshot \(wanted.number) of \(wanted.datanet)")
            }
            guard state.mayTrain(request.owner, on: wanted.datanet, at: logTime) else {
                throw TrainingError.forbidden(
                    "\(request.owner) has no grant to train on \(wanted.datanet): ask for access with purpose train")
            }
            guard !request.snapshots[..<index].contains(where: { $0.datanet == wanted.datanet }) else {
                throw TrainingError.invalid(field: "/snapshots/\(index)", reason: "names a Datanet a second time")
            }
            tokens += snapshot.tokens
        }
        return try TrainingQuote(tokens: max(0, tokens - leftOut), epochs: request.settings.epochs, price: request.price)
    }

    /// A job is put into the queue.
    /// - Parameter leftOut: tokens of the snapshots that are handed out no more, which nobody pays for.
    public static func request(_ request: Request, leftOut: Int = 0) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            let quote = try quote(request, state, at: context.logTime, leftOut: leftOut)
            let job = context.newID("job")
            let references = request.snapshots.compactMap { wanted in
                state.snapshot(wanted.datanet, wanted.number).map {
                    SnapshotReference(datanet: $0.datanet, snapshot: $0.snapshot, number: $0.number, root: $0.root)
                }
            }
            return [
                NewEvent(
                    JobRequested(
                        job: job, owner: request.owner, base: request.base, snapshots: references, settings: request.settingsDigest,
                        fee: quote.fee, hold: request.hold, needs: request.settings.needs), stream: try stream("job", job))
            ]
        }
    }

    /// What a runner hands in.
    public struct Result: Sendable {
        /// The adapter's artefact.
        public var adapter: Digest
        /// The artefact with the training items' attribution rows.
        public var rows: Digest?
        /// Evidence of how it went.
        public var record: Digest
        /// Tokens that were learned from.
        public var tokens: Int
        /// Whose data it learned from.
        public var shares: EvidenceList<AttributionShare>
        /// What computed it, by the record.
        public var engine: String?

        /// From its parts.
        public init(
            adapter: Digest, rows: Digest?, record: Digest, tokens: Int, shares: EvidenceList<AttributionShare>, engine: String? = nil
        ) {
            self.engine = engine
            self.adapter = adapter
            self.rows = rows
            self.record = record
            self.tokens = tokens
            self.shares = shares
        }
    }

    /// A job is done. The fee is the one that was agreed.
    public static func complete(_ id: String, runner: String, attempt: Int, _ result: Result) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            let request = try running(id, runner, attempt, state).request
            try RunnerRules.sameEngine(runner, result.engine, state)
            try RunnerRules.rowsAsDeclared(runner, result.rows, state)
            return [
                NewEvent(
                    JobCompleted(
                        job: id, owner: request.owner, base: request.base, snapshots: request.snapshots, adapter: result.adapter,
                        rows: result.rows, shares: result.shares, tokens: result.tokens, fee: request.fee, hold: request.hold,
                        runner: runner, record: result.record), stream: try stream("job", id))
            ]
        }
    }

    /// How often a job is begun before it is given up, where nothing moves it on.
    public static let mostLapses = 8

    /// A job can't be done. What somebody's own runner says of it gives it to another, and so does what is only this runner's trouble, where
    /// there is another; a job that was begun too often is over.
    /// - Parameter elsewhere: whether another runner might do it.
    public static func fail(
        _ id: String, runner: String, attempt: Int, reason: String, elsewhere: Bool = false
    ) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            let job = try running(id, runner, attempt, state)
            let stream = try stream("job", id)
            let isOthers = state.runners.registered[runner] != nil
            if isOthers || (elsewhere && state.hasOther(than: runner, for: job)), job.lapses < mostLapses {
                return [NewEvent(JobReleased(job: id, runner: runner, attempt: attempt, reason: reason), stream: stream)]
            }
            return [NewEvent(JobFailed(job: id, reason: reason, hold: job.request.hold), stream: stream)]
        }
    }

    static func job(_ id: String, _ state: TrainingState) throws -> TrainingJob {
        guard let job = state.jobs[id] else { throw TrainingError.notFound("job \(id)") }
        return job
    }

    /// The job, if this runner is the one that works on it: one that comes back late finds another in its place.
    static func running(_ id: String, _ runner: String, _ attempt: Int, _ state: TrainingState) throws -> TrainingJob {
        let job = try job(id, state)
        guard job.status == .running else { throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)") }
        guard job.runner == runner, job.attempt == attempt else {
            throw TrainingError.wrongState("job \(id) was given to another runner: attempt \(job.attempt), not \(attempt)")
        }
        return job
    }

    static func stream(_ kind: String, _ id: String) throws -> StreamName {
        guard let stream = StreamName(kind: kind, id: id) else { throw TrainingError.invalid(field: "/", reason: "\(id) can't be a name") }
        return stream
    }
}
