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
        var heldOut = true
        var bound = 1_000
        var reason: String?
        var reached: Int?
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
        // Where no rows are held out there was nothing to claim.
        Measured(loss: 2_000, claim: nil, heldOut: false, bound: 2_000, reason: "no-gain"),
        Measured(loss: 2_000, claim: nil, rowsAgree: false, heldOut: false, bound: 2_000, reason: "rows"),
        Measured(loss: 1_500, claim: 1_000, heldOut: false, reason: "loss"),
        Measured(loss: 1_000, rowsAgree: false, reason: "rows"),
        Measured(loss: 2_000, claim: 2_000, rowsAgree: false, bound: 2_000, reason: "rows"),
        Measured(loss: 1_000, rowsAgree: nil),
        // What the same job gave who looked: one step of it is not all of it, whatever is claimed, and a little less is nobody's lie.
        Measured(loss: 1_950, claim: 1_950, bound: 1_950, reason: "loss", reached: 1_000),
        Measured(loss: 1_751, claim: 1_751, bound: 1_751, reason: "loss", reached: 1_000),
        Measured(loss: 1_750, claim: 1_750, bound: 1_750, reason: "short", reached: 1_000),
        Measured(loss: 1_501, claim: 1_501, bound: 1_501, reason: "short", reached: 1_000),
        Measured(loss: 1_500, claim: 1_500, bound: 1_500, reached: 1_000),
        Measured(loss: 1_100, claim: 1_100, bound: 1_100, reached: 1_000),
        Measured(loss: 900, claim: 900, bound: 900, reached: 1_000),
        Measured(loss: 1_979, claim: 1_979, bound: 1_979, reached: 1_950),
        Measured(loss: 1_999, claim: 1_999, bound: 1_999, reason: "short", reached: 1_920),
        Measured(loss: 1_999, claim: 1_999, bound: 1_999, reached: 2_500),
        Measured(loss: 2_000, claim: nil, heldOut: false, bound: 2_000, reason: "loss", reached: 1_000),
        Measured(loss: 2_000, claim: nil, heldOut: false, bound: 2_000, reason: "no-gain", reached: 1_950),
        Measured(loss: 2_000, claim: 2_000, bound: 2_000, reason: "no-gain", reached: 1_000),
        Measured(loss: 0, base: 0, claim: 0, bound: 0, reason: "no-gain", reached: 0),
    ])
    func whatCantBeDoneAgainIsMeasured(_ measured: Measured) throws {
        let events = try checked(
            .measured(
                loss: measured.loss, base: measured.base, claim: measured.claim, rowsAgree: measured.rowsAgree, heldOut: measured.heldOut,
                reached: measured.reached))
        let found = try JobChecked(events[0].data.object())
        #expect(found.agrees == (measured.reason == nil) && found.reason == measured.reason && found.method == "measure")
        #expect(found.bound == measured.bound && found.base == measured.base && found.rowsAgree == measured.rowsAgree)
        #expect(found.heldOut == (measured.heldOut ? nil : false) && found.reached == measured.reached)
        let isLie = measured.reason == "loss" || measured.reason == "rows"
        #expect(events.count == (found.agrees ? 2 : 1) && found.isLie == isLie)
        #expect(try JobChecked(found.json.object()) == found)
    }

    @Test func whoSaysThatItMakesAttributionRowsHandsThemIn() throws {
        var declared = rita
        declared.features = [RunnerRules.makesRows]
        for (runner, rows, isTaken) in [(declared, nil, false), (declared, other, true), (rita, nil, true)] {
            let running = try state([bonded(10), runner, grant, started])
            let result = TrainingRules.Result(adapter: digest, rows: rows, record: digest, tokens: 7, shares: .entries([]), engine: "e/1")
            for rule in [
                RunnerRules.deliver("j", runner: "rita", attempt: 1, result),
                TrainingRules.complete("j", runner: "rita", attempt: 1, result),
            ] {
                if isTaken {
                    #expect(try rule(running, context).count == 1)
                } else {
                    let error = #expect(throws: TrainingError.self) { try rule(running, context) }
                    #expect(error?.description.contains("/rows") == true)
                }
            }
        }
    }

    @Test func whatGainedNothingIsDoneAgainByTheHouseAlone() throws {
        let checked = try JobChecked(
            checked(.measured(loss: 2_000, base: 2_000, claim: 2_000, rowsAgree: nil))[0].data.object())
        let state = try state([bonded(10), rita, grant, started, delivered, checked])
        #expect(state.jobs["j"]?.status == .queued)
        #expect(try TrainingRules.lease(.init(runner: "rita", isHouses: false))(state, context).isEmpty)
        #expect(try TrainingRules.lease(.init(runner: "r2"))(state, context).count == 1)
    }

    private func at(_ seconds: Int64) -> DecisionContext {
        let time = Timestamp(microseconds: seconds * 1_000_000)
        return DecisionContext(time: time, logTime: time, cause: .command(id: "c", digest: digest), actor: "rita")
    }

    @Test(arguments: [true, false]) func whatComesOutOtherwiseSinceRowsWereTakenBackIsNoLie(_ isSince: Bool) throws {
        let snapshot = SnapshotPublished(
            datanet: "dn", snapshot: "sn", number: 1, root: digest, manifest: digest, items: 1, tokens: 9, owners: 1, list: digest)
        let item = AdmittedItem(
            item: "it", contribution: "ct", owner: "carl", commitment: digest, tokens: 9, licence: "MIT", language: "en", cluster: "it")
        let gone = ContributionWithdrawn(contribution: "ct", contributor: "carl", items: [])
        let events: [any EventData] =
            isSince ? [snapshot, started, gone, delivered] : [snapshot, gone, started, delivered]
        let state = try state([bonded(10), rita, grant] + events)
        let items = SnapshotItems(SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest), [item])
        func check(_ adapter: Digest) throws -> [NewEvent] {
            try RunnerRules.check("j", by: "runner", .repeated(adapter: adapter, rows: other), shares: .entries([]), items: [items])(
                state, context)
        }
        let found = try JobChecked(check(other)[0].data.object())
        #expect(found.reason == (isSince ? "taken-back" : "adapter") && !found.agrees && found.isLie == !isSince)
        // Where it comes out the same all the same, it is what it is said to be.
        #expect(try check(digest).count == 2)
        var after = state
        try after.apply(Fact.made(found, 99))
        #expect(after.jobs["j"]?.status == .queued)
        #expect(try TrainingRules.lease(.init(runner: "rita", isHouses: false))(after, context).isEmpty == !isSince)
    }

    @Test func whatNobodyLooksAtIsDoneByTheHouseOrCancelled() throws {
        let waiting = try state([bonded(10), rita, grant, started, delivered])
        let house = TrainingRules.Candidate(runner: "r2")
        #expect(try TrainingRules.lease(house)(waiting, at(3_599)).isEmpty && TrainingRules.lease(house)(waiting, at(3_601)).count == 1)
        #expect(try TrainingRules.lease(.init(runner: "rita", isHouses: false))(waiting, at(3_601)).isEmpty)
        #expect(try TrainingRules.cancel("j", by: "ann")(waiting, at(3_601)).count == 1)
        // Looks that came to nothing give it to the house before.
        #expect(try TrainingRules.lease(.init(runner: "r2", silent: ["j": 1]))(waiting, context).count == 1)
        let taken = try state([bonded(10), rita, grant, started, delivered, JobStarted(job: "j", runner: "r2", attempt: 2)])
        #expect(taken.jobs["j"]?.status == .running && taken.jobs["j"]?.delivered == nil)
    }

    @Test func whatARunnerOfOnesOwnCantDoGoesToAnotherAndEndsAtLast() throws {
        let running = try state([bonded(10), rita, grant, started])
        let made = try TrainingRules.fail("j", runner: "rita", attempt: 1, reason: "no memory")(running, context)
        let released = try JobReleased(#require(made.first).data.object())
        #expect(made.map(\.type) == ["job.released"] && released.reason == "no memory")
        let queued = try state([bonded(10), rita, grant, started, released])
        #expect(queued.jobs["j"]?.status == .queued)
        #expect(try TrainingRules.lease(.init(runner: "rita", isHouses: false))(queued, context).isEmpty, "never the same again")
        #expect(try TrainingRules.lease(.init(runner: "r2"))(queued, context).first?.type == "job.started")
        #expect(try TrainingRules.lease(.init(runner: "r2", declined: ["j"]))(queued, context).isEmpty)
        // Nobody takes it: it fails for the reason that was told.
        let given = try TrainingRules.lease(.init(runner: "r2", declined: ["j"]))(queued, at(4_000))
        #expect(try given.map(\.type) == ["job.failed"] && JobFailed(given[0].data.object()).reason == "no memory")
        // The house's own word ends a job, unless it is its own trouble and there is another.
        let house = try state([JobStarted(job: "j", runner: "r2", attempt: 1)])
        func fail(_ state: TrainingState, _ runner: String, _ attempt: Int, elsewhere: Bool) throws -> String? {
            try TrainingRules.fail("j", runner: runner, attempt: attempt, reason: "x", elsewhere: elsewhere)(state, context).first?.type
        }
        #expect(try fail(house, "r2", 1, elsewhere: false) == "job.failed" && fail(house, "r2", 1, elsewhere: true) == "job.failed")
        let another = try state([bonded(10), rita, grant, JobStarted(job: "j", runner: "r2", attempt: 1)])
        #expect(try fail(another, "r2", 1, elsewhere: true) == "job.released")
        // What ends runner after runner ends itself.
        let starts = (1...TrainingRules.mostLapses).map { JobStarted(job: "j", runner: "r\($0)", attempt: $0) as any EventData }
        let worn = try state(starts)
        let silent = TrainingRules.Candidate(runner: "r99", silent: ["j": TrainingRules.mostLapses])
        let over = try TrainingRules.lease(silent)(worn, context)
        #expect(try over.map(\.type) == ["job.failed"] && JobFailed(over[0].data.object()).reason == TrainingRules.tooOften)
        #expect(try fail(worn, "r8", 8, elsewhere: true) == "job.failed")
        let mark = JobCheckpointed(job: "j", step: 3, checkpoint: digest, metrics: digest)
        #expect(try TrainingRules.lease(silent)(state(starts + [mark]), context).first?.type == "job.started", "it moved on")
    }

    @Test func aStakeVouchesForAsManyJobsAsItIsWorth() throws {
        let second = JobRequested(
            job: "k", owner: "ann", base: "tiny",
            snapshots: [SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)], settings: digest, fee: Amount(5, usdc))
        let candidate = TrainingRules.Candidate(runner: "rita", bases: ["tiny"], isHouses: false, stake: Amount(10, usdc))
        #expect(try TrainingRules.lease(candidate)(state([bonded(19), rita, grant, second, started]), context).isEmpty)
        #expect(try TrainingRules.lease(candidate)(state([bonded(20), rita, grant, second, started]), context).count == 1)
    }

    @Test func aJobIsVouchedForBySoManyTimesItsFee() throws {
        let dear = JobRequested(
            job: "k", owner: "ann", base: "tiny",
            snapshots: [SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)], settings: digest, fee: Amount(500, usdc)
        )
        let candidate = TrainingRules.Candidate(runner: "rita", bases: ["tiny"], isHouses: false, stake: Amount(10, usdc), cover: 4)
        func lease(_ units: Int128, _ events: [any EventData]) throws -> String? {
            try TrainingRules.lease(candidate)(state([bonded(units), rita, grant] + events), context).first.map {
                try JobStarted($0.data.object()).job
            }
        }
        // The job j costs 5, of which four times is 20; k needs 2,000.
        #expect(try lease(19, [dear]) == nil && lease(20, [dear]) == "j")
        #expect(try lease(1_999, [dear, JobCancelled(job: "j")]) == nil && lease(2_000, [dear, JobCancelled(job: "j")]) == "k")
        #expect(try lease(2_019, [dear, started]) == nil && lease(2_020, [dear, started]) == "k")
        // What the house's own get hangs on no stake.
        #expect(try TrainingRules.lease(.init(runner: "r2", cover: 4))(state([dear, JobCancelled(job: "j")]), context).count == 1)
    }

    @Test func whoMayNotSeeTheDataAnyMoreIsToldWhose() throws {
        let revoked = AccessRevoked(grant: "g", datanet: "dn"), ended = AccessRevoked(grant: "a", datanet: "dn")
        func missing(_ events: [any EventData], isHouses: Bool = false) throws -> String? {
            let state = try state([rita, grant, started] + events)
            return TrainingRules.missingGrant(
                of: try #require(state.jobs["j"]), runner: "rita", isHouses: isHouses, state, at: Timestamp(microseconds: 1))
        }
        #expect(try missing([]) == nil && missing([revoked], isHouses: true) == nil)
        #expect(try missing([revoked])?.hasPrefix("rita") == true && missing([ended], isHouses: true)?.hasPrefix("ann") == true)
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
