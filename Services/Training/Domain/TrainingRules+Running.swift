public import Decisions
public import Events
public import Money

/// What is decided while a job waits and runs.
extension TrainingRules {
    /// What a runner says of itself when it asks for work.
    public struct Candidate: Sendable {
        /// The runner.
        public var runner: String
        /// The base models that it has; nil when it takes any job.
        public var bases: Set<String>?
        /// What it can do besides; nil when it takes any job.
        public var features: Set<String>?
        /// Jobs whose runner has gone silent, with the attempt that it was.
        public var silent: [String: Int]
        /// Whether it is the house's own, and sees whatever it is to work on.
        public var isHouses: Bool
        /// What one that is not the house's own must have bonded for each job that it works on; nil when nothing must be.
        public var stake: Amount?
        /// How many times a job's fee must be bonded for it where that is more than ``stake``, of one that is not the house's own.
        public var cover: Int
        /// Jobs that it found it can't do.
        public var declined: Set<String>

        /// From its parts.
        public init(
            runner: String, bases: Set<String>? = nil, features: Set<String>? = nil, silent: [String: Int] = [:], isHouses: Bool = true,
            stake: Amount? = nil, cover: Int = 0, declined: Set<String> = []
        ) {
            self.cover = cover
            self.declined = declined
            self.runner = runner
            self.bases = bases
            self.features = features
            self.silent = silent
            self.isHouses = isHouses
            self.stake = stake
        }

        /// What must be bonded while it has a job: a lie that is looked for in one of so many jobs must cost more than it brings in all.
        func pledge(for job: TrainingJob) -> Int128 {
            guard let stake else { return 0 }
            let fee = job.request.fee
            guard fee.asset == stake.asset else { return stake.units }
            let (units, isTooMuch) = fee.units.multipliedReportingOverflow(by: Int128(cover))
            // Several of them together are a number still.
            return isTooMuch ? .max >> 32 : max(stake.units, units)
        }

        /// Whether it has what a job needs, and may see what the job learns from.
        func takes(_ job: TrainingJob, _ state: TrainingState, at logTime: Timestamp) -> Bool {
            guard bases?.contains(job.request.base) ?? true else { return false }
            guard job.request.needs.allSatisfy({ features?.contains($0) ?? true }) else { return false }
            // What gained nothing is done once more by the house alone, and not by one after another who need not care; but for what the
            // house's own runner cannot do.
            guard isHouses || job.checked?.reason != JobChecked.noGain || job.request.needs.contains("nf4") else { return false }
            guard !job.refused.contains(runner), !declined.contains(job.request.job) else { return false }
            return isHouses || job.request.snapshots.allSatisfy { state.mayTrain(runner, on: $0.datanet, at: logTime) }
        }
    }

    /// A runner takes the first job that waits, else one whose runner has gone silent; nothing is decided when there is none.
    ///
    /// The choice is made here, in turn with all others: of two runners that ask at once each gets a job of its own.
    public static func lease(_ candidate: Candidate) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            if !candidate.isHouses {
                guard state.runners.registered[candidate.runner] != nil else {
                    throw TrainingError.forbidden("\(candidate.runner) is no runner that joined: POST /v1/runners")
                }
                if let stake = candidate.stake { try RunnerRules.vouched(candidate.runner, stake, state) }
            }
            let all = state.open.compactMap { state.jobs[$0] }
            // What it has staked vouches for so many jobs at a time, and for each as far as it costs more than a lie would bring.
            let free =
                candidate.isHouses
                ? nil
                : candidate.stake.map { stake in
                    all.filter { $0.isHeld(by: candidate.runner) }.reduce(state.runners.stake(of: candidate.runner, in: stake.asset).units)
                    {
                        $0 - candidate.pledge(for: $1)
                    }
                }
            let given = try all.filter { $0.isGivenUp(silent: candidate.silent, at: context.logTime) }.map { job in
                let id = job.request.job
                return NewEvent(
                    JobFailed(job: id, reason: job.released?.reason ?? tooOften, hold: job.request.hold), stream: try stream("job", id))
            }
            let open = all.filter { job in
                candidate.takes(job, state, at: context.logTime) && free.map { candidate.pledge(for: job) <= $0 } ?? true
                    && missingGrant(of: job, state, at: context.logTime) == nil
                    && !job.isGivenUp(silent: candidate.silent, at: context.logTime)
            }
            let waits = { (job: TrainingJob) in
                let isSilent = candidate.silent[job.request.job] == job.attempt
                return switch job.status {
                case .running: isSilent
                // The house does again what nobody looked at: who handed it in loses nothing by it.
                case .checking: candidate.isHouses && (isSilent || job.isUnlooked(at: context.logTime))
                default: false
                }
            }
            guard let job = open.first(where: { $0.status == .queued }) ?? open.first(where: waits) else { return given }
            let id = job.request.job
            return given + [
                NewEvent(JobStarted(job: id, runner: candidate.runner, attempt: job.attempt + 1), stream: try stream("job", id))
            ]
        }
    }

    /// Why a job failed that nobody said anything about.
    public static let tooOften = "it was begun \(mostLapses) times, and no runner came to its end"

    /// Its owner halts a job. The runner that works on it leaves a checkpoint where it stands.
    public static func pause(_ id: String, by caller: String) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            let job = try own(id, caller, state)
            guard job.status == .queued || job.status == .running else {
                throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)")
            }
            return [NewEvent(JobPaused(job: id), stream: try stream("job", id))]
        }
    }

    /// Its owner lets a job go on.
    public static func resume(_ id: String, by caller: String) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            let job = try own(id, caller, state)
            guard job.status == .paused else { throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)") }
            if let reason = missingGrant(of: job, state, at: context.logTime) { throw TrainingError.forbidden(reason) }
            return [NewEvent(JobResumed(job: id), stream: try stream("job", id))]
        }
    }

    /// Its owner stops a job.
    public static func cancel(_ id: String, by caller: String) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            let job = try own(id, caller, state)
            // What was handed in is paid for if it is what it is said to be, unless nobody looks at it.
            guard !job.status.isOver, job.status != .checking || job.isUnlooked(at: context.logTime) else {
                throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)")
            }
            return [NewEvent(JobCancelled(job: id, hold: job.request.hold), stream: try stream("job", id))]
        }
    }

    /// The runner of a job has reached a place from which another could go on; also just after the job was halted.
    public static func checkpoint(_ checkpoint: JobCheckpointed, runner: String, attempt: Int) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            let id = checkpoint.job
            let job = try job(id, state)
            if job.status != .paused || job.runner != runner || job.attempt != attempt { _ = try running(id, runner, attempt, state) }
            guard checkpoint.step > job.checkpoint?.step ?? -1 else {
                throw TrainingError.wrongState("job \(id) has a checkpoint at step \(job.checkpoint?.step ?? 0) already")
            }
            return [NewEvent(checkpoint, stream: try stream("job", id))]
        }
    }

    /// Why a job may not go on at a moment of log time: a grant of who asked for it has ended since. Nil when it may.
    public static func missingGrant(of job: TrainingJob, _ state: TrainingState, at logTime: Timestamp) -> String? {
        let owner = job.request.owner
        return job.request.snapshots.first { !state.mayTrain(owner, on: $0.datanet, at: logTime) }.map {
            "\(owner) has no grant to train on \($0.datanet) any more: ask for access with purpose train"
        }
    }

    /// Why a runner may not see a job's data at a moment of log time; nil when it may.
    /// - Parameter isHouses: the house's own see what they are to work on.
    public static func missingGrant(
        of job: TrainingJob, runner: String, isHouses: Bool, _ state: TrainingState, at logTime: Timestamp
    ) -> String? {
        if let reason = missingGrant(of: job, state, at: logTime) { return reason }
        guard !isHouses else { return nil }
        return job.request.snapshots.first { !state.mayTrain(runner, on: $0.datanet, at: logTime) }.map {
            "\(runner) has no grant to train on \($0.datanet) any more: ask for access with purpose train"
        }
    }

    /// A job of the caller's.
    static func own(_ id: String, _ caller: String, _ state: TrainingState) throws -> TrainingJob {
        let job = try job(id, state)
        guard job.request.owner == caller else { throw TrainingError.notFound("job \(id)") }
        return job
    }
}
