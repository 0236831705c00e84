import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport
import Testing
import TrainingDomain

/// Runners that are not the house's own.
@Suite struct RunnerRulesTests {
    private let usdc: Asset
    private let digest = SHA256.hash(utf8: "artefact")
    private let other = SHA256.hash(utf8: "other")

    init() throws { usdc = try Asset("USDC/6") }

    private var context: DecisionContext {
        DecisionContext(
            time: Timestamp(microseconds: 1), logTime: Timestamp(microseconds: 1), cause: .command(id: "c", digest: digest), actor: "rita")
    }

    private func state(_ events: [any EventData]) throws -> TrainingState {
        var state = TrainingState()
        let all: [any EventData] =
            [
                BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1),
                JobRequested(
                    job: "j", owner: "ann", base: "tiny",
                    snapshots: [SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)], settings: digest,
                    fee: Amount(5, usdc)),
                AccessGranted(grant: "a", datanet: "dn", grantee: "ann", purpose: "train"),
            ] + events
        for (index, event) in all.enumerated() { try state.apply(Fact.made(event, index)) }
        return state
    }

    private func bonded(_ units: Int128, _ pool: String = "runners") -> StakeBonded {
        StakeBonded(pool: pool, account: AccountID(trusted: "payer:rita"), amount: Amount(units, usdc), postings: .entries([]))
    }

    private var rita: RunnerRegistered { RunnerRegistered(runner: "rita", engine: "e/1", bases: ["tiny"], features: []) }
    private let grant = AccessGranted(grant: "g", datanet: "dn", grantee: "rita", purpose: "train")

    @Test func aRunnerJoinsWithAStakeAndOnBasesThatAreKnown() throws {
        let stake = Amount(10, usdc)
        #expect(throws: TrainingError.self) { try RunnerRules.register(rita, stake: stake)(state([]), context) }
        #expect(throws: TrainingError.self) { try RunnerRules.register(rita, stake: stake)(state([bonded(9)]), context) }
        #expect(throws: TrainingError.self) { try RunnerRules.register(rita, stake: stake)(state([bonded(50, "dn_1")]), context) }
        #expect(try RunnerRules.register(rita, stake: stake)(state([bonded(4), bonded(6)]), context).count == 1)
        var huge = rita
        huge.bases = ["huge"]
        #expect(throws: TrainingError.notFound("base model huge")) { try RunnerRules.register(huge, stake: nil)(state([]), context) }
        // The same again is nothing new.
        #expect(try RunnerRules.register(rita, stake: stake)(state([bonded(10), rita]), context).isEmpty)
    }

    @Test func aStakeThatIsUnbondedOrSlashedVouchesForNothing() throws {
        let account = AccountID(trusted: "payer:rita")
        let unbonded = StakeUnbonded(
            id: "u", pool: "runners", account: account, amount: Amount(6, usdc), releaseAt: Timestamp(microseconds: 9))
        let slashed = StakeSlashed(
            pool: "runners", account: account, amount: Amount(10, usdc), beneficiary: AccountID(trusted: "platform:house"), ruling: "j",
            postings: .entries([]))
        #expect(try state([bonded(10), unbonded]).runners.stake(of: "rita", in: usdc).units == 4)
        #expect(try state([bonded(10), unbonded, slashed]).runners.stake(of: "rita", in: usdc).units == 0)
        #expect(try state([bonded(10)]).runners.stake(of: "carl", in: usdc).units == 0)
    }

    @Test func itGetsJobsOnDataThatItMaySeeWhileItsStakeStands() throws {
        func lease(_ events: [any EventData]) throws -> [NewEvent] {
            let candidate = TrainingRules.Candidate(runner: "rita", bases: ["tiny"], isHouses: false, stake: Amount(10, usdc))
            return try TrainingRules.lease(candidate)(state(events), context)
        }
        #expect(throws: TrainingError.self) { try lease([bonded(10), grant]) }
        #expect(throws: TrainingError.self) { try lease([bonded(9), rita, grant]) }
        #expect(try lease([bonded(10), rita]).isEmpty, "it may not see what the job learns from")
        #expect(try lease([bonded(10), rita, grant]).count == 1)
    }

    @Test func aJobThatNeedsMoreWaitsForARunnerThatCan() throws {
        let request = JobRequested(
            job: "k", owner: "ann", base: "tiny", snapshots: [], settings: digest, fee: Amount(5, usdc), needs: ["int8"])
        let state = try state([JobCancelled(job: "j"), request])
        func lease(_ features: Set<String>?) throws -> Int {
            try TrainingRules.lease(.init(runner: "r", features: features))(state, context).count
        }
        #expect(try lease([]) == 0 && lease(["attribution-rows"]) == 0 && lease(["int8"]) == 1 && lease(nil) == 1)
        #expect(try JobRequested(request.json.object()) == request)
    }

    private var delivered: JobDelivered {
        JobDelivered(job: "j", runner: "rita", adapter: digest, rows: other, tokens: 7, record: digest)
    }

    private var started: JobStarted { JobStarted(job: "j", runner: "rita", attempt: 1) }

    private func checked(_ finding: RunnerRules.Finding, by checker: String = "runner") throws -> [NewEvent] {
        try RunnerRules.check("j", by: checker, finding, shares: .entries([]))(
            state([bonded(10), rita, grant, started, delivered]), context)
    }

    @Test func whatIsHandedInIsPaidOnceItWasFoundToBeWhatItSays() throws {
        var result = TrainingRules.Result(adapter: digest, rows: other, record: digest, tokens: 7, shares: .entries([]), engine: "e/1")
        let running = try state([bonded(10), rita, grant, started])
        #expect(throws: TrainingError.self) { try RunnerRules.deliver("j", runner: "carl", attempt: 1, result)(running, context) }
        #expect(throws: TrainingError.self) { try RunnerRules.deliver("j", runner: "rita", attempt: 2, result)(running, context) }
        // Work of another engine than it joined with would be looked at otherwise.
        for engine in ["e/2", nil] {
            result.engine = engine
            for rule in [
                RunnerRules.deliver("j", runner: "rita", attempt: 1, result),
                TrainingRules.complete("j", runner: "rita", attempt: 1, result),
            ] {
                let error = #expect(throws: TrainingError.self) { try rule(running, context) }
                #expect(error?.description.contains("/record/engine") == true)
            }
        }
        result.engine = "e/1"
        #expect(try TrainingRules.complete("j", runner: "rita", attempt: 1, result)(running, context).count == 1)
        let made = try #require(try RunnerRules.deliver("j", runner: "rita", attempt: 1, result)(running, context).first)
        #expect(try JobDelivered(made.data.object()) == delivered)

        let events = try checked(.repeated(adapter: digest, rows: other))
        #expect(events.map(\.type) == ["job.checked", "job.completed"])
        #expect(try JobChecked(events[0].data.object()).agrees)
        let completed = try JobCompleted(events[1].data.object())
        #expect(completed.runner == "rita" && completed.adapter == digest && completed.rows == other && completed.tokens == 7)
        #expect(throws: TrainingError.self, "nobody looks at their own work") {
            try checked(.repeated(adapter: digest, rows: other), by: "rita")
        }
        let waiting = try state([bonded(10), rita, grant, started, delivered])
        #expect(waiting.jobs["j"]?.status == .checking)
        #expect(throws: TrainingError.self) { try TrainingRules.cancel("j", by: "ann")(waiting, context) }
        #expect(try TrainingRules.lease(.init(runner: "r2"))(waiting, context).isEmpty)
    }

    @Test(arguments: [true, false]) func aWrongHashSendsTheJobBackToTheQueue(_ isAdapter: Bool) throws {
        let events = try checked(.repeated(adapter: isAdapter ? other : digest, rows: isAdapter ? other : digest))
        #expect(events.map(\.type) == ["job.checked"])
        let refuted = try JobChecked(events[0].data.object())
        #expect(!refuted.agrees && refuted.runner == "rita")
        let marked = JobCheckpointed(job: "j", step: 3, checkpoint: digest, metrics: digest)
        let state = try state([bonded(10), rita, grant, started, marked, delivered, refuted])
        let job = try #require(state.jobs["j"])
        #expect(job.status == .queued && job.checkpoint == nil && job.completed == nil)
        let again = try #require(try TrainingRules.lease(.init(runner: "r2"))(state, context).first)
        #expect(try JobStarted(again.data.object()) == JobStarted(job: "j", runner: "r2", attempt: 2))
        // It comes back late, with the same: its place is gone.
        let result = TrainingRules.Result(adapter: digest, rows: nil, record: digest, tokens: 7, shares: .entries([]))
        #expect(throws: TrainingError.self) { try RunnerRules.deliver("j", runner: "rita", attempt: 1, result)(state, context) }
    }

    /// What was measured, and what comes of it.
    struct Measured: Sendable {
        var loss: Int
        var base = 2_000
        var claim: Int? = 1_000
        var rowsAgree: Bool? = true
        var bound = 1_000
        var reason: String?
    }

    @Test(arguments: [
        Measured(loss: 1_000), Measured(loss: 1_020), Measured(loss: 1_021, reason: "loss"), Measured(loss: 0, claim: 0, bound: 0),
        Measured(loss: 1 << 50, base: 1, bound: 1, reason: "loss"),
        // A claim above the base's loss is none: whatever is claimed, what gains nothing is not taken.
        Measured(loss: 1_999, claim: 1_000_000_000_000, bound: 2_000),
        Measured(loss: 2_000, claim: 1_000_000_000_000, bound: 2_000, reason: "loss"),
        Measured(loss: 5_000, claim: 1_000_000_000_000, bound: 2_000, reason: "loss"),
        Measured(loss: 1_999, claim: nil, bound: 2_000), Measured(loss: 2_000, claim: nil, bound: 2_000, reason: "loss"),
        // Who says that nothing was gained has not lied, and is not paid.
        Measured(loss: 2_000, claim: 2_000, bound: 2_000, reason: "no-gain"),
        Measured(loss: 5_050, claim: 5_000, bound: 2_000, reason: "no-gain"),
        Measured(loss: 1_000, rowsAgree: false, reason: "rows"),
        Measured(loss: 2_000, claim: 2_000, rowsAgree: false, bound: 2_000, reason: "rows"),
        Measured(loss: 1_000, rowsAgree: nil),
    ])
    func whatCantBeDoneAgainIsMeasured(_ measured: Measured) throws {
        let events = try checked(.measured(loss: measured.loss, base: measured.base, claim: measured.claim, rowsAgree: measured.rowsAgree))
        let found = try JobChecked(events[0].data.object())
        #expect(found.agrees == (measured.reason == nil) && found.reason == measured.reason && found.method == "measure")
        #expect(found.bound == measured.bound && found.base == measured.base && found.rowsAgree == measured.rowsAgree)
        #expect(events.count == (found.agrees ? 2 : 1) && found.isLie == (measured.reason != nil && measured.reason != "no-gain"))
        #expect(try JobChecked(found.json.object()) == found)
    }

    @Test func whatGainedNothingIsDoneAgainByTheHouseAlone() throws {
        let checked = try JobChecked(
            checked(.measured(loss: 2_000, base: 2_000, claim: 2_000, rowsAgree: nil))[0].data.object())
        let state = try state([bonded(10), rita, grant, started, delivered, checked])
        #expect(state.jobs["j"]?.status == .queued)
        #expect(try TrainingRules.lease(.init(runner: "rita", isHouses: false))(state, context).isEmpty)
        #expect(try TrainingRules.lease(.init(runner: "r2"))(state, context).count == 1)
    }

    @Test func whatARunnerOfOnesOwnLeftIsABeginningForItAlone() throws {
        let marked = JobCheckpointed(job: "j", step: 3, checkpoint: digest, metrics: digest)
        let before: [any EventData] = [bonded(10), rita, grant, started, marked]
        #expect(try state(before + [JobStarted(job: "j", runner: "rita", attempt: 2)]).jobs["j"]?.checkpoint?.step == 3)
        #expect(try state(before + [JobStarted(job: "j", runner: "r2", attempt: 2)]).jobs["j"]?.checkpoint == nil)
        // What one of the house's own left is a beginning for everybody.
        let house: [any EventData] = [bonded(10), rita, grant, JobStarted(job: "j", runner: "r2", attempt: 1), marked]
        #expect(try state(house + [JobStarted(job: "j", runner: "rita", attempt: 2)]).jobs["j"]?.checkpoint?.step == 3)
    }

    @Test func aClaimIsReadFromTheLastEvaluation() throws {
        let record = try JSON.parse(
            #"{"engine":"e","evaluations":[{"step":0,"holdout_loss_micros":9},{"step":5,"holdout_loss_micros":7}]}"#)
        #expect(RunnerClaim.loss(record) == 7 && RunnerClaim.engine(record) == "e")
        #expect(!RunnerClaim.gainsNothing(record) && !RunnerClaim.gainsNothing(.null))
        let useless: JSONValue = ["evaluations": [["holdout_loss_micros": 9], ["holdout_loss_micros": 9]]]
        #expect(RunnerClaim.gainsNothing(useless))
        #expect(!RunnerClaim.gainsNothing(["evaluations": [["holdout_loss_micros": 9]]]), "one look compares nothing")
        #expect(RunnerClaim.loss(["evaluations": []]) == nil && RunnerClaim.loss(.null) == nil)
        #expect(RunnerClaim.loss(["evaluations": [["holdout_loss_micros": -1]]]) == nil)
    }
}
