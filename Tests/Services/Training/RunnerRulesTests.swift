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
        let result = TrainingRules.Result(adapter: digest, rows: other, record: digest, tokens: 7, shares: .entries([]))
        let running = try state([bonded(10), rita, grant, started])
        #expect(throws: TrainingError.self) { try RunnerRules.deliver("j", runner: "carl", attempt: 1, result)(running, context) }
        #expect(throws: TrainingError.self) { try RunnerRules.deliver("j", runner: "rita", attempt: 2, result)(running, context) }
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

    @Test(arguments: [(1_000, 1_000, true), (1_020, 1_000, true), (1_021, 1_000, false), (0, 0, true), (Int.max / 2, 1, false)])
    func whatCantBeDoneAgainIsMeasured(_ loss: Int, _ bound: Int, _ agrees: Bool) throws {
        let events = try checked(.measured(loss: loss, bound: bound))
        let found = try JobChecked(events[0].data.object())
        #expect(found.agrees == agrees && found.method == "measure" && found.bound == bound && events.count == (agrees ? 2 : 1))
        #expect(try JobChecked(found.json.object()) == found)
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
        #expect(RunnerClaim.loss(["evaluations": []]) == nil && RunnerClaim.loss(.null) == nil)
        #expect(RunnerClaim.loss(["evaluations": [["holdout_loss_micros": -1]]]) == nil)
    }
}
