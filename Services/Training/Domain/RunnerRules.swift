public import Crypto
public import Decisions
public import Events
public import Money

/// What is decided about runners that are not the house's own: they join with a stake, and what they hand in may be looked at before
/// anybody pays.
public enum RunnerRules {
    /// Somebody's own runner joins, or describes itself anew.
    /// - Parameter stake: what must be bonded; nil when nothing must.
    public static func register(_ runner: RunnerRegistered, stake: Amount?) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            if let stake { try vouched(runner.runner, stake, state) }
            for base in runner.bases where state.bases[base] == nil { throw TrainingError.notFound("base model \(base)") }
            if state.runners.registered[runner.runner] == runner { return [] }
            return [NewEvent(runner, stream: try TrainingRules.stream("runner", runner.runner))]
        }
    }

    /// What somebody's own runner made waits to be looked at.
    public static func deliver(_ id: String, runner: String, attempt: Int, _ result: TrainingRules.Result)
        -> DecisionMaker<TrainingState>
        .Rule
    {
        { state, _ in
            _ = try TrainingRules.running(id, runner, attempt, state)
            try sameEngine(runner, result.engine, state)
            try rowsAsDeclared(runner, result.rows, state)
            return [
                NewEvent(
                    JobDelivered(
                        job: id, runner: runner, adapter: result.adapter, rows: result.rows, tokens: result.tokens, record: result.record),
                    stream: try TrainingRules.stream("job", id))
            ]
        }
    }

    /// What a look at somebody's work found.
    public enum Finding: Sendable, Hashable {
        /// It was done again: the adapter and attribution rows that came out.
        case repeated(adapter: Digest, rows: Digest?)
        /// Its loss in millionths and the base model's on the same rows, the loss that its runner claims, and whether a sample of its
        /// attribution rows came out too; nil where there are none.
        /// - `reached`: the loss that the same job gave the one who looked; an audit takes no look without it.
        /// - `heldOut`: whether they are rows that are held out; else the runner had nothing to claim a loss on.
        case measured(loss: Int, base: Int, claim: Int?, rowsAgree: Bool?, heldOut: Bool = true, reached: Int? = nil)
    }

    /// Somebody's work was looked at. Where it is what it is said to be, the job is done; else it waits for another runner. Where rows were
    /// taken back since it was begun, another outcome proves nothing.
    /// - Parameters:
    ///   - shares: whose data it learned from.
    ///   - items: of the job's snapshots.
    public static func check(
        _ id: String, by checker: String, _ finding: Finding, shares: EvidenceList<AttributionShare>, items: [SnapshotItems] = []
    ) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            let job = try TrainingRules.job(id, state)
            guard job.status == .checking, let work = job.delivered else {
                throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)")
            }
            guard work.runner != checker else { throw TrainingError.forbidden("nobody looks at their own work") }
            var checked = JobChecked(
                job: id, runner: work.runner, checker: checker, method: "repeat", adapter: work.adapter, agrees: false)
            switch finding {
            case .repeated(let adapter, let rows):
                (checked.found, checked.foundRows) = (adapter, rows)
                checked.reason = adapter != work.adapter ? "adapter" : rows != work.rows ? "rows" : nil
            case .measured(let loss, let base, let claim, let rowsAgree, let heldOut, let reached):
                let bound = min(claim ?? base, base)
                (checked.method, checked.measured, checked.bound, checked.base) = ("measure", loss, bound, base)
                (checked.rowsAgree, checked.heldOut, checked.reached) = (rowsAgree, heldOut ? nil : false, reached)
                let isUnclaimed = claim == nil && !heldOut
                let missing = reached.map { Shortfall(loss: loss, base: base, reached: $0) }
                checked.reason = refusal(
                    loss: loss, bound: bound, base: base, claim: claim, rowsAgree: rowsAgree, isUnclaimed: isUnclaimed, missing)
            }
            if checked.reason != nil, let begun = job.begun, items.contains(where: { $0.isTakenFrom(since: begun, state) }) {
                checked.reason = JobChecked.takenBack
            }
            checked.agrees = checked.reason == nil
            let stream = try TrainingRules.stream("job", id)
            guard checked.agrees else { return [NewEvent(checked, stream: stream)] }
            let request = job.request
            return [
                NewEvent(checked, stream: stream),
                NewEvent(
                    JobCompleted(
                        job: id, owner: request.owner, base: request.base, snapshots: request.snapshots, adapter: work.adapter,
                        rows: work.rows, shares: shares, tokens: work.tokens, fee: request.fee, hold: request.hold, runner: work.runner,
                        record: work.record), stream: stream),
            ]
        }
    }

    /// What is told of an adapter that can't be read: a loss that none has, in millionths.
    public static let unreadable = 1_000_000_000

    /// How much of what a job gives somebody's work lacks. Another engine draws other numbers, and of a short job it gains now more and
    /// now less; nobody who did the job gains less than a quarter of what it gives.
    private enum Shortfall {
        case none, some, most

        init(loss: Int, base: Int, reached: Int) {
            let (gained, possible) = (Int128(base) - Int128(loss), Int128(base) - Int128(reached))
            if !passes(loss, reached) || gained * 2 >= possible {
                self = .none
            } else {
                // Where little can be gained, most of it is soon lost by chance.
                self = gained * 4 < possible && possible * 20 >= Int128(base) ? .most : .some
            }
        }
    }

    /// Two losses are one where they are no more than 2 % apart: other processors and libraries round otherwise.
    private static func passes(_ value: Int, _ bound: Int) -> Bool { Int128(value) * 100 > Int128(bound) * 102 }

    /// Why measured work is not taken; nil when it is.
    /// - Parameters:
    ///   - isUnclaimed: nothing was claimed, and nothing could be: no rows are held out.
    ///   - missing: of what the job gives; nil where nobody did it beside.
    private static func refusal(
        loss: Int, bound: Int, base: Int, claim: Int?, rowsAgree: Bool?, isUnclaimed: Bool, _ missing: Shortfall?
    ) -> String? {
        if rowsAgree == false { return "rows" }
        // What can't even be read is no honest attempt, whatever the owner set.
        if loss >= unreadable { return "loss" }
        guard loss >= base else {
            if passes(loss, bound) || missing == .most { return "loss" }
            return missing == .some ? JobChecked.short : nil
        }
        // What the owner set may be such that nothing can be learned: who says so is not believed less for it, but there is nothing to pay.
        let isAsClaimed = claim.map { !passes(loss, $0) && !passes($0, loss) } ?? false
        // Who says nothing of it is believed where nothing could be gained.
        return isAsClaimed || (isUnclaimed && missing != .most) ? JobChecked.noGain : "loss"
    }

    /// Who says that it makes attribution rows hands them in: without them nobody is paid by influence for as long as the model is asked.
    static func rowsAsDeclared(_ runner: String, _ rows: Digest?, _ state: TrainingState) throws(TrainingError) {
        guard rows == nil, let known = state.runners.registered[runner], known.features.contains(Self.makesRows) else { return }
        throw .invalid(
            field: "/rows", reason: "must be there: \(runner) joined with \(Self.makesRows); describe it anew with POST /v1/runners")
    }

    /// What a runner says of itself that makes attribution rows.
    public static let makesRows = "attribution-rows"

    /// Somebody's own runner hands in work of the engine that it joined with: by that is decided how it is looked at.
    static func sameEngine(_ runner: String, _ engine: String?, _ state: TrainingState) throws(TrainingError) {
        guard let known = state.runners.registered[runner], known.engine != engine else { return }
        throw .invalid(
            field: "/record/engine",
            reason: "is \(engine ?? "not there"), and \(runner) joined with \(known.engine): describe it anew with POST /v1/runners")
    }

    static func vouched(_ runner: String, _ stake: Amount, _ state: TrainingState) throws(TrainingError) {
        let bonded = state.runners.stake(of: runner, in: stake.asset)
        guard bonded.units >= stake.units else {
            throw .forbidden("\(runner) has \(bonded) bonded in the pool \(RunnerBook.pool), and \(stake) must be: POST /v1/stakes")
        }
    }
}
