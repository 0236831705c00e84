import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport
import Testing
import TrainingDomain

@Suite struct TrainingRulesTests {
    private let usdc: Asset
    private let digest = SHA256.hash(utf8: "artefact")

    init() throws { usdc = try Asset("USDC/6") }

    @Test func aQuoteGrowsWithTokensAndEpochsAndIsNeverRoundedDown() throws {
        let price = Amount(1_500_000, usdc)
        #expect(try TrainingQuote(tokens: 1_000_000, epochs: 2, price: price).fee == Amount(3_000_000, usdc))
        #expect(try TrainingQuote(tokens: 1, epochs: 1, price: price).fee == Amount(2, usdc))
        #expect(try TrainingQuote(tokens: 0, epochs: 3, price: price).fee == Amount(0, usdc))
        #expect(throws: MoneyError.self) { try TrainingQuote(tokens: .max / 2, epochs: 100, price: price) }
    }

    @Test func sharesOfATrainingFollowTokensAndAddUp() throws {
        func item(_ id: String, _ owner: String, _ tokens: Int) -> AdmittedItem {
            AdmittedItem(
                item: id, contribution: "c", owner: owner, commitment: digest, tokens: tokens, licence: "CC-BY-4.0", language: "en",
                cluster: id)
        }
        let shares = try TokenShares.of([
            (datanet: "dn_b", items: [item("1", "ann", 1), item("2", "bob", 1)]), (datanet: "dn_a", items: [item("3", "ann", 1)]),
        ])
        #expect(shares.map(\.share).reduce(0, +) == 1_000_000_000)
        #expect(shares.map { "\($0.owner) \($0.datanet)" } == ["ann dn_a", "ann dn_b", "bob dn_b"])
        // A third each: the unit that is left goes to who stands first.
        #expect(shares.map(\.share) == [333_333_334, 333_333_333, 333_333_333])
        #expect(try TokenShares.of([(datanet: "d", items: [])]).isEmpty)
    }

    @Test(arguments: [
        (#"{"epochs":0}"#, "/epochs"), (#"{"rank":257}"#, "/rank"), (#"{"colour":1}"#, "/colour"), (#"{"targets":[]}"#, "/targets"),
        (#"{"targets":["q_proj","foo"]}"#, "/targets/1"), (#"{"advanced":{"schedule":"steps"}}"#, "/advanced/schedule"),
        (#"{"advanced":{"patience":0}}"#, "/advanced/patience"), (#"{"advanced":{"colour":1}}"#, "/advanced/colour"),
    ])
    func settingsOutOfBoundsAreNamed(_ text: String, _ place: String) throws {
        let fields = try JSON.parse(text).object()
        do {
            _ = try TrainingSettings(fields)
            Issue.record("taken")
        } catch { #expect(error.pointer == place) }
    }

    @Test func settingsComeBackAsTheyWere() throws {
        var settings = TrainingSettings()
        settings.epochs = 7
        settings.targets = ["q_proj"]
        #expect(try TrainingSettings(settings.json.object()) == settings)
        // What nobody set leaves the settings' hash as it always was.
        #expect(settings.json["advanced"] == nil)
        settings.advanced = try AdvancedSettings(
            JSON.parse(#"{"patience":3,"schedule":"linear","minimum_rate":0,"weight_decay":10000,"clip":0}"#).object())
        #expect(try TrainingSettings(settings.json.object()) == settings && settings.advanced.clip == 0)
    }

    private func terms(_ change: (inout ModelPublished) -> Void = { _ in }) -> ModelPublished {
        var terms = ModelPublished(
            model: "ann/defi", version: 0, owner: "ann", base: "tiny", snapshots: [], retrieval: [],
            price: ModelPrice(request: Amount(1, usdc), input: Amount(2, usdc), output: Amount(3, usdc)),
            split: ModelSplit(owner: 3_000, datanets: 1_000, contributors: 5_000, validators: 500, compute: 500),
            attribution: AttributionPolicy(
                rules: "attribution/1", spans: 5_000, influence: 5_000, retrieval: 0, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
                minimumSpan: 8))
        change(&terms)
        return terms
    }

    private var context: DecisionContext {
        DecisionContext(
            time: Timestamp(microseconds: 1), logTime: Timestamp(microseconds: 1), cause: .command(id: "c", digest: digest), actor: "ann")
    }

    private func state(_ events: [any EventData]) throws -> TrainingState {
        var state = TrainingState()
        for (index, event) in events.enumerated() { try state.apply(Fact.made(event, index)) }
        return state
    }

    @Test func aModelIsPublishedInVersionsByItsOwnerAlone() throws {
        let base = BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "Apache-2.0", parameters: 1)
        var first = terms()
        first.version = 1
        let state = try state([base, first])
        let events = try ModelRules.publish(terms())(state, context)
        #expect(try ModelPublished(#require(events.first).data.object()).version == 2)
        #expect(throws: TrainingError.forbidden("ann/defi belongs to somebody else")) {
            try ModelRules.publish(terms { $0.owner = "bob" })(state, context)
        }
        #expect(throws: TrainingError.notFound("base model huge")) { try ModelRules.publish(terms { $0.base = "huge" })(state, context) }
    }

    @Test func aModelThatIsHandedOverEarnsForItsNewOwner() throws {
        let base = BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "Apache-2.0", parameters: 1)
        var (first, second) = (terms(), terms())
        (first.version, second.version) = (1, 2)
        let known = PrincipalRegistered(principal: "bob", kind: "person", key: "did:key:z6Mk")
        let before: [any EventData] = [base, known, first, second, ModelRetired(model: "ann/defi", version: 1)]
        func handOver(_ to: String, by caller: String, _ events: [any EventData]) throws -> [NewEvent] {
            try ModelRules.handOver("ann/defi", to: to, by: caller)(state(events), context)
        }
        #expect(throws: TrainingError.notFound("model ann/defi")) { try handOver("eve", by: "eve", before) }
        #expect(throws: TrainingError.self) { try handOver("ann", by: "ann", before) }
        #expect(throws: TrainingError.invalid(field: "/to", reason: "must be registered: carl is not")) {
            try handOver("carl", by: "ann", before)
        }
        #expect(throws: TrainingError.self) { try handOver("bob", by: "ann", before + [ModelRetired(model: "ann/defi")]) }
        let events = try handOver("bob", by: "ann", before)
        #expect(events.map(\.type) == ["model.handed-over", "model.published", "model.retired"])
        let published = try ModelPublished(events[1].data.object())
        #expect(published.owner == "bob" && published.version == 3 && published.price == second.price && published.split == second.split)
        // For the terms, that it was handed over changes nothing by itself: the version and what is retired do.
        let after = before + [published, try ModelRetired(events[2].data.object())]
        let now = try state(after)
        #expect(now.model("ann/defi")?.owner == "bob" && now.model("ann/defi", version: 2) == nil)
        // The old owner has no say any more, the new one has.
        #expect(throws: TrainingError.self) { try ModelRules.publish(terms())(now, context) }
        #expect(try ModelRules.publish(terms { $0.owner = "bob" })(now, context).count == 1)
        // Who may not have passages looked up where the model does is no owner for it.
        let looking = terms { ($0.version, $0.retrieval) = (1, ["dn"]) }
        let snapshot = SnapshotPublished(
            datanet: "dn", snapshot: "sn", number: 1, root: digest, manifest: digest, items: 1, tokens: 10, owners: 1, list: digest)
        #expect(throws: TrainingError.self) { try handOver("bob", by: "ann", [base, known, looking, snapshot]) }
    }

    @Test func termsThatDoNotAddUpAreRefused() throws {
        let state = try state([BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1)])
        let eth = try Asset("ETH/18")
        let wrong: [(inout ModelPublished) -> Void] = [
            { $0.split.owner = 2_999 }, { $0.attribution.spans = 4_999 }, { $0.attribution.cap = 0 },
            { $0.attribution.fallback = "nobody" },
            { $0.price.input = Amount(1, eth) }, { $0.price.request = Amount(-1, $0.price.request.asset) }, { $0.model = "no-slash" },
            { $0.model = "A/b" }, { $0.model = "a/" }, { $0.attribution.minimumSpan = 0 },
        ]
        for change in wrong {
            #expect(throws: TrainingError.self) { try ModelRules.publish(terms(change))(state, context) }
        }
    }

    @Test func aRunnerThatComesBackLateFindsItsPlaceTaken() throws {
        let request = JobRequested(job: "j", owner: "ann", base: "tiny", snapshots: [], settings: digest, fee: Amount(5, usdc))
        let state = try state([
            BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1), request,
            JobStarted(job: "j", runner: "r1", attempt: 1), JobStarted(job: "j", runner: "r2", attempt: 2),
        ])
        let result = TrainingRules.Result(adapter: digest, rows: nil, record: digest, tokens: 1, shares: .entries([]))
        #expect(throws: TrainingError.self) { try TrainingRules.complete("j", runner: "r1", attempt: 1, result)(state, context) }
        #expect(throws: TrainingError.self) { try TrainingRules.complete("j", runner: "r2", attempt: 1, result)(state, context) }
        let done = try TrainingRules.complete("j", runner: "r2", attempt: 2, result)(state, context)
        #expect(try JobCompleted(#require(done.first).data.object()).fee == request.fee)
        func lease(_ silent: [String: Int]) throws -> [NewEvent] {
            try TrainingRules.lease(.init(runner: "r3", silent: silent))(state, context)
        }
        // Of two who find attempt 2 silent, the second finds attempt 3 in its place.
        #expect(try lease([:]).isEmpty && lease(["j": 1]).isEmpty && lease(["j": 2]).count == 1)
    }

    private func jobs(_ more: [any EventData]) throws -> TrainingState {
        let base = BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1)
        let requests = ["j", "k"].map {
            JobRequested(
                job: $0, owner: "ann", base: $0 == "j" ? "tiny" : "large", snapshots: [], settings: digest, fee: Amount(5, usdc))
        }
        return try state([base] + requests + more)
    }

    @Test func aRunnerGetsOnlyJobsOnBasesThatItHas() throws {
        func leased(_ bases: Set<String>?, _ state: TrainingState) throws -> String? {
            let events = try TrainingRules.lease(.init(runner: "r", bases: bases))(state, context)
            return try events.first.map { try JobStarted($0.data.object()).job }
        }
        let state = try jobs([])
        #expect(try leased(nil, state) == "j" && leased(["large"], state) == "k" && leased(["other"], state) == nil)
        #expect(try leased([], state) == nil)
    }

    private func at(_ moment: Int64) -> DecisionContext {
        let time = Timestamp(microseconds: moment)
        return DecisionContext(time: time, logTime: time, cause: .command(id: "c", digest: digest), actor: "ann")
    }

    /// How many jobs a runner is given when the first has gone silent.
    private func leases(_ known: TrainingState, at moment: Int64 = 1) throws -> Int {
        let events: [NewEvent] = try TrainingRules.lease(.init(runner: "r", silent: ["j": 1]))(known, at(moment))
        return events.count
    }

    @Test func aJobWhoseGrantHasEndedWaitsForAnother() throws {
        let grant = AccessGranted(grant: "g", datanet: "dn", grantee: "ann", purpose: "train", expires: Timestamp(microseconds: 100))
        let reference = SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)
        let request = JobRequested(job: "j", owner: "ann", base: "tiny", snapshots: [reference], settings: digest, fee: Amount(5, usdc))
        let queued = try state([grant, request])
        #expect(try leases(queued, at: 99) == 1 && leases(queued, at: 100) == 0)
        let revoked = AccessRevoked(grant: "g", datanet: "dn")
        let ended = try state([grant, request, revoked])
        #expect(try leases(ended) == 0 && ended.jobs["j"]?.status == .queued)
        let reason = TrainingRules.missingGrant(of: try #require(ended.jobs["j"]), ended, at: Timestamp(microseconds: 1))
        #expect(reason == "ann has no grant to train on dn any more: ask for access with purpose train")
        // A new grant lets it go on; so it is with one whose runner fell silent, and one that was halted.
        let renewed = AccessGranted(grant: "h", datanet: "dn", grantee: "ann", purpose: "train")
        #expect(try leases(state([grant, request, revoked, renewed])) == 1)
        let started = JobStarted(job: "j", runner: "r1", attempt: 1)
        #expect(try leases(state([grant, request, started])) == 1 && leases(state([grant, request, started, revoked])) == 0)
        let paused = try state([grant, request, JobPaused(job: "j"), revoked])
        #expect(throws: TrainingError.forbidden(try #require(reason))) { try TrainingRules.resume("j", by: "ann")(paused, at(1)) }
        #expect(try TrainingRules.cancel("j", by: "ann")(paused, at(1)).count == 1)
    }

    @Test func aHaltedJobWaitsForItsOwnerAndTakesALastCheckpoint() throws {
        let started = JobStarted(job: "j", runner: "r1", attempt: 1)
        func mark(_ step: Int, _ runner: String = "r1", attempt: Int = 1) -> DecisionMaker<TrainingState>.Rule {
            TrainingRules.checkpoint(
                JobCheckpointed(job: "j", step: step, checkpoint: digest, metrics: digest), runner: runner, attempt: attempt)
        }
        let running = try jobs([started])
        #expect(throws: TrainingError.notFound("job j")) { try TrainingRules.pause("j", by: "eve")(running, context) }
        #expect(throws: TrainingError.self) { try TrainingRules.resume("j", by: "ann")(running, context) }
        let paused = try jobs([started, JobPaused(job: "j"), JobPaused(job: "k")])
        #expect(paused.jobs["j"]?.status == .paused)
        #expect(throws: TrainingError.self) { try TrainingRules.pause("j", by: "ann")(paused, context) }
        #expect(try TrainingRules.lease(.init(runner: "r2", silent: ["j": 1]))(paused, context).isEmpty)
        #expect(try mark(3)(paused, context).count == 1)
        #expect(throws: TrainingError.self) { try mark(3, "r2")(paused, context) }
        #expect(throws: TrainingError.self) { try mark(3, attempt: 2)(paused, context) }
        let result = TrainingRules.Result(adapter: digest, rows: nil, record: digest, tokens: 1, shares: .entries([]))
        #expect(throws: TrainingError.self) { try TrainingRules.complete("j", runner: "r1", attempt: 1, result)(paused, context) }
        #expect(try TrainingRules.cancel("j", by: "ann")(paused, context).count == 1)

        let resumed = try jobs([
            started, JobPaused(job: "j"), JobCheckpointed(job: "j", step: 3, checkpoint: digest, metrics: digest), JobResumed(job: "j"),
        ])
        let again = try #require(try TrainingRules.lease(.init(runner: "r2"))(resumed, context).first)
        #expect(try JobStarted(again.data.object()) == JobStarted(job: "j", runner: "r2", attempt: 2))
        #expect(resumed.jobs["j"]?.checkpoint?.step == 3)
        #expect(throws: TrainingError.self) { try mark(4)(resumed, context) }
    }

    @Test func whatIsTakenBackIsKnownByItemContributionAndOwner() throws {
        func item(_ id: String, _ contribution: String, _ owner: String) -> AdmittedItem {
            AdmittedItem(
                item: id, contribution: contribution, owner: owner, commitment: digest, tokens: 1, licence: "MIT", language: "en",
                cluster: id)
        }
        let state = try state([
            ContributionWithdrawn(contribution: "c1", contributor: "ann", items: ["i1"]),
            ContributionWithdrawn(contribution: "c2", contributor: "ann", items: []),
            ContentErased(owner: "bob", contribution: "c3", items: [], receipt: digest),
            ContentErased(owner: "carl", contribution: "c4", items: ["i5"], receipt: digest),
            ContentErased(owner: "dora", items: [], receipt: digest),
        ])
        func isGone(_ id: String, _ contribution: String, _ owner: String, publishedAt moment: Int64 = 0) -> Bool {
            state.takenBack.has(item(id, contribution, owner), publishedAt: Timestamp(microseconds: moment))
        }
        #expect(isGone("i1", "c1", "ann") && !isGone("i2", "c1", "ann") && isGone("i3", "c2", "ann"))
        #expect(isGone("i4", "c3", "bob") && isGone("i5", "c4", "carl") && !isGone("i6", "c4", "carl"))
        // What somebody brings after everything of theirs was erased is new.
        #expect(isGone("i7", "c5", "dora", publishedAt: 4) && !isGone("i7", "c5", "dora", publishedAt: 5))
        #expect(!isGone("i8", "c6", "eve") && !state.takenBack.isEmpty && TrainingState().takenBack.isEmpty)
    }

    @Test func aRepeatIsOrderedOnceAndCostsWhatIsLeft() throws {
        let snapshot = SnapshotPublished(
            datanet: "dn", snapshot: "sn", number: 1, root: digest, manifest: digest, items: 2, tokens: 1_000, owners: 1, list: digest)
        let reference = SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)
        let policy = DatanetPolicy(
            access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
            admission: "automatic", minimumQuality: 0, panel: 0, quorum: 0, voting: "role")
        let events: [any EventData] = [
            BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1),
            DatanetCreated(datanet: "dn", owner: "ann", domain: "defi", media: "text", policy: policy), snapshot,
            JobRequested(job: "j", owner: "ann", base: "tiny", snapshots: [reference], settings: digest, fee: Amount(5, usdc)),
        ]
        let done = JobCompleted(
            job: "j", owner: "ann", base: "tiny", snapshots: [reference], adapter: digest, shares: .entries([]), tokens: 1,
            fee: Amount(5, usdc), runner: "r", record: digest)
        var settings = TrainingSettings()
        settings.epochs = 1
        let request = TrainingRules.Request(
            owner: "ann", base: "tiny", snapshots: [("dn", 1)], settings: settings, settingsDigest: digest, price: Amount(1_000_000, usdc),
            hold: nil)
        func retrain(_ state: TrainingState) throws -> JobRequested {
            let made = try TrainingRules.retrain("j", request, without: digest, leftOut: 400)(state, context)
            return try JobRequested(#require(made.first).data.object())
        }
        #expect(throws: TrainingError.self) { try retrain(state(events)) }
        let finished = try state(events + [done])
        let new = try retrain(finished)
        #expect(new.fee == Amount(600, usdc) && new.replaces == "j" && new.without == digest && new.settings == digest)
        let again = try state(events + [done, new])
        #expect(again.replacement(of: "j") == new.job)
        #expect(throws: TrainingError.self) { try retrain(again) }
        // One that came to nothing stands in nobody's way.
        let failed = try state(events + [done, new, JobFailed(job: new.job, reason: "x")])
        #expect(failed.replacement(of: "j") == nil)
        #expect(try retrain(failed).replaces == "j")
    }

    @Test func nobodyLearnsFromDataWithoutAGrantThatStillHolds() throws {
        let policy = DatanetPolicy(
            access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
            admission: "automatic",
            minimumQuality: 0, panel: 0, quorum: 0, voting: "role")
        func quote(_ extra: [any EventData], at moment: Int64, by owner: String = "ann") throws -> TrainingQuote {
            let state = try state(
                [
                    BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1),
                    DatanetCreated(datanet: "dn", owner: "olga", domain: "defi", media: "text", policy: policy),
                    SnapshotPublished(
                        datanet: "dn", snapshot: "sn", number: 1, root: digest, manifest: digest, items: 1, tokens: 10, owners: 1,
                        list: digest),
                ] + extra)
            let request = TrainingRules.Request(
                owner: owner, base: "tiny", snapshots: [("dn", 1)], settings: TrainingSettings(), settingsDigest: digest,
                price: Amount(1_000_000, usdc), hold: nil)
            return try TrainingRules.quote(request, state, at: Timestamp(microseconds: moment))
        }
        let grant = AccessGranted(
            grant: "g", datanet: "dn", grantee: "ann", purpose: "train", expires: Timestamp(microseconds: 100))
        #expect(throws: TrainingError.self) { try quote([], at: 1) }
        #expect(try quote([], at: 1, by: "olga").tokens == 30)
        #expect(try quote([grant], at: 99).tokens == 30)
        #expect(throws: TrainingError.self) { try quote([grant], at: 100) }
        #expect(throws: TrainingError.self) { try quote([grant, AccessRevoked(grant: "g", datanet: "dn")], at: 1) }
        let reading = AccessGranted(grant: "g", datanet: "dn", grantee: "ann", purpose: "read")
        #expect(throws: TrainingError.self) { try quote([reading], at: 1) }
    }
}
