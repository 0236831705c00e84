import Crypto
import Decisions
import Events
import Identity
import JSON
import Testing

/// One way to tamper with a log: what the operator does, whose rules it breaks, and where that shows.
struct Tampering: Sendable, CustomTestStringConvertible {
    let name: String
    let service: Service
    /// Whether others, who also look at what was altered, find it before.
    var isSeenBefore = false
    /// Alters the log; gives the position that has to be named.
    let plant: @Sendable (inout TamperedLog) throws -> Int

    var testDescription: String { name }

    init(
        _ service: Service, _ name: String, isSeenBefore: Bool = false, _ plant: @escaping @Sendable (inout TamperedLog) throws -> Int
    ) {
        self.service = service
        self.name = name
        self.isSeenBefore = isSeenBefore
        self.plant = plant
    }

    /// Puts another value into the data of the nth event of a type.
    static func set<Payload: EventData>(
        _ service: Service, _ type: Payload.Type, _ pointer: String, _ value: JSONValue, _ name: String, nth: Int = 0
    ) -> Tampering {
        Tampering(service, name) { log in
            let place = try log.place(Payload.type, nth)
            log.set(place, pointer, value)
            return place
        }
    }

    /// Adds to an amount of the nth event of a type.
    static func add<Payload: EventData>(
        _ service: Service, _ type: Payload.Type, _ pointer: String, _ units: Int, _ name: String, nth: Int = 0
    ) -> Tampering {
        Tampering(service, name) { log in
            let place = try log.place(Payload.type, nth)
            try log.add(units, place, pointer)
            return place
        }
    }

    /// Puts another name where the actor's stands.
    static func actor<Payload: EventData>(
        _ service: Service, _ type: Payload.Type, _ name: String, nth: Int = 0
    ) -> Tampering {
        Tampering(service, name) { log in
            let place = try log.place(Payload.type, nth)
            log.entries[place].actor = "mallory"
            return place
        }
    }

    /// The event once more, under a cause of its own.
    static func again<Payload: EventData>(
        _ service: Service, _ type: Payload.Type, _ name: String, nth: Int = 0
    ) -> Tampering {
        Tampering(service, name) { log in
            let place = try log.place(Payload.type, nth)
            log.repeatEvent(place)
            return place + 1
        }
    }

    private static let lists = [ingest, datanet, training, attribution, billing, gateway, economy, ledger, omitted]
    static let all: [Tampering] = lists.flatMap { $0 }

    /// The first few of each service's.
    static func all(ofEach count: Int) -> [Tampering] { lists.flatMap { $0.prefix(count) } }

    // MARK: Ingest

    static let ingest: [Tampering] = [
        .set(.ingest, ContributionSubmitted.self, "/contributor", "mallory", "a contribution in another's name"),
        .set(.ingest, ContributionSubmitted.self, "/signature", "AAAA", "a signature that is none"),
        Tampering(.ingest, "a contribution signed with a key that is nobody's") { log in
            let place = try log.place(ContributionSubmitted.type)
            let key = try Ed25519PrivateKey.generate()
            var submitted = try ContributionSubmitted(log.entries[place].data.object())
            submitted.signer = DIDKey.text(for: key.publicKey)
            submitted.signature = Base64URL.encode(try key.sign(submitted.signedBytes))
            log.entries[place].data = submitted.json
            return place
        },
        .set(.ingest, ContributionSubmitted.self, "/manifest", .digest(SHA256.hash(utf8: "another")), "a manifest that nobody signed"),
        Tampering(.ingest, "work that its contributor had signed for another Datanet") { log in
            let place = try log.place(ContributionSubmitted.type)
            let other = try log.place(DatanetCreated.type) { $0["datanet"] != log.get(place, "/datanet") }
            log.set(place, "/datanet", log.get(other, "/datanet") ?? .null)
            return place
        },
        .set(.ingest, ContributionSubmitted.self, "/items", 99, "more items than were screened"),
        .set(.ingest, ContributionScreened.self, "/accepted", 4, "one accepted item more"),
        .set(.ingest, ContributionScreened.self, "/rules", "screening/0", "screening by other rules"),
        .set(.ingest, ContributionScreened.self, "/items/entries/3/verdict", "accepted", "a refused item made an accepted one"),
        .set(.ingest, ContributionScreened.self, "/items/entries/0/owner", "mallory", "an item given to another owner"),
        .actor(.ingest, ContributionWithdrawn.self, "consent taken back by a stranger"),
        .actor(.ingest, ContentErased.self, "content erased by a stranger"),
        .actor(.ingest, ContributionWithdrawn.self, "an author's item taken back by a stranger", nth: 1),
        .actor(.ingest, ContentErased.self, "an author's content erased by a stranger", nth: 1),
        .actor(.ingest, ContributorWithdrawn.self, "all of an author's work taken back by a stranger"),
        .actor(.ingest, ContributorWithdrawn.self, "consent to all of somebody's work taken back by a stranger", nth: 1),
        Tampering(.ingest, "an author's withdrawal that passes a contribution over") { log in
            let place = try log.place(ContributorWithdrawn.type) { $0["contributions"]?.arrayValue?.count ?? 0 > 1 }
            log.set(place, "/contributions", .array(Array((log.get(place, "/contributions")?.arrayValue ?? []).dropLast())))
            return place
        },
        Tampering(.ingest, "an author's withdrawal that leaves an item of a contribution out") { log in
            let place = try log.place(ContributionWithdrawn.type) { $0["author"] != nil && $0["items"]?.arrayValue?.count ?? 0 > 1 }
            log.set(place, "/items", .array(Array((log.get(place, "/items")?.arrayValue ?? []).dropLast())))
            return place
        },
        .set(.ingest, ContributorClaimRequested.self, "/author", "author_0", "a claim of an author whose work is not there"),
        .actor(.ingest, ContributorClaimed.self, "a claim confirmed by a stranger"),
        .set(.ingest, ContributorClaimed.self, "/principal", "mallory", "an author's account given to another than the claimant"),
        Tampering(.ingest, "a contribution without its screening") { log in
            let place = try log.place(ContributionScreened.type)
            log.entries.remove(at: place)
            return place - 1
        },
    ]

    // MARK: Datanets

    static let datanet: [Tampering] = [
        .actor(.datanet, DatanetCreated.self, "a Datanet made in another's name"),
        .actor(.datanet, DatanetDescribed.self, "a page written by a stranger"),
        .actor(.datanet, MemberGranted.self, "a role given by a stranger"),
        .actor(.datanet, MemberRevoked.self, "a role taken away by a stranger"),
        .set(.datanet, ReviewOpened.self, "/contribution", "ct_none", "a review of what nobody contributed"),
        .actor(.datanet, ReviewOpened.self, "an appeal by who did not contribute", nth: 1),
        .actor(.datanet, ReviewTrapCommitted.self, "a trap set by a stranger"),
        .actor(.datanet, AccessRequested.self, "access asked for in another's name"),
        .actor(.datanet, AccessRevoked.self, "access taken away by a stranger"),
        .actor(.datanet, ProposalOpened.self, "a vote called by a stranger"),
        .set(.datanet, ReviewDrawn.self, "/panel/0", "cora", "a panel with a member that was not drawn"),
        .set(.datanet, ReviewDrawn.self, "/candidates/0", "cora", "a candidate who is no validator"),
        .set(.datanet, ReviewDrawn.self, "/size", 3, "a panel drawn by another tree"),
        Tampering(.datanet, "a vote by who is not on the panel") { log in
            let place = try log.place(ReviewVoted.type)
            log.set(place, "/voter", "cora")
            log.entries[place].actor = "cora"
            return place
        },
        .again(.datanet, ReviewVoted.self, "a vote counted twice"),
        .set(.datanet, ReviewClosed.self, "/outcome", "admitted", "a verdict turned round"),
        .set(.datanet, AdmissionGranted.self, "/items/entries/0/tokens", 4_000, "an admitted item made longer"),
        .set(.datanet, AdmissionGranted.self, "/items/entries/0/owner", "mallory", "an admitted item given to another"),
        .again(.datanet, AdmissionGranted.self, "a contribution admitted twice"),
        .set(.datanet, RulingMade.self, "/penalties/0/points", 2_000, "a harder penalty than the policy's"),
        Tampering(.datanet, "a penalty for who voted right") { log in
            let place = try log.place(RulingMade.type) { !($0["penalties"]?.arrayValue?.isEmpty ?? true) }
            log.set(place, "/penalties/0/principal", "vera9")
            return place
        },
        .set(.datanet, ReviewTrapRevealed.self, "/salt", "another-grain-of-salt-01", "a trap opened with another salt"),
        .set(.datanet, SnapshotPublished.self, "/root", .digest(SHA256.hash(utf8: "other")), "a snapshot with another root"),
        Tampering(.datanet, "a snapshot whose list gives an item to another, its hash put right") { log in
            let place = try log.place(SnapshotPublished.type)
            try log.rewrite(place, "/list") { $0.setting("/0/owner", to: "mallory") }
            return place
        },
        Tampering(.datanet, "a snapshot that leaves an item out") { log in
            let place = try log.place(SnapshotPublished.type)
            try log.rewrite(place, "/list") { .array(Array(($0.arrayValue ?? []).dropLast())) }
            let items = log.get(place, "/items")?.intValue ?? 0
            log.set(place, "/items", .int(items - 1))
            return place
        },
        Tampering(.datanet, "a snapshot with another manifest") { log in
            let place = try log.place(SnapshotPublished.type)
            try log.rewrite(place, "/manifest") { $0.setting("/isLiveDataset", to: true) }
            return place
        },
        Tampering(.datanet, "a snapshot that gives one's work to another") { log in
            let place = try log.place(SnapshotPublished.type) { $0["shares"]?["entries"]?.arrayValue?.count ?? 0 > 1 }
            let shares = try #require(log.get(place, "/shares/entries")?.arrayValue)
            log.set(place, "/shares/entries/0/share", .int((shares[0]["share"]?.intValue ?? 0) - 1))
            log.set(place, "/shares/entries/1/share", .int((shares[1]["share"]?.intValue ?? 0) + 1))
            return place
        },
        .set(.datanet, ProposalVoted.self, "/weight", "50", "a vote with more weight than the roll's"),
        .set(.datanet, ProposalClosed.self, "/outcome", "rejected", "a vote that was won called lost"),
        Tampering(.datanet, "a policy that nobody voted for") { log in
            let place = try log.place(DatanetPolicyChanged.type)
            log.set(place, "/policy/treasury_points", 5_000)
            log.set(place, "/policy/contributor_points", 4_500)
            return place
        },
        .set(.datanet, AccessUsed.self, "/items", 9_999, "more items read than the snapshot has"),
        Tampering(.datanet, "a reading that costs a unit more than its grant says") { log in
            let place = try log.place(AccessUsed.type) { $0["price"] != nil }
            try log.add(1, place, "/price/amount")
            return place
        },
        Tampering(.datanet, "a reading whose price goes to others than those who wrote") { log in
            let place = try log.place(AccessUsed.type) { $0["price"] != nil }
            log.set(place, "/shares/entries/0/owner", "mallory")
            return place
        },
        Tampering(.datanet, "a reading that is to be paid and was not") { log in
            let place = try log.place(AccessUsed.type) { $0["price"] != nil }
            var data = log.entries[place].data.objectValue ?? JSONObject()
            for name in ["price", "hold", "shares"] { data[name] = nil }
            log.entries[place].data = .object(data)
            return place
        },
        .actor(.datanet, AccessSearched.self, "a search by who is no member"),
        .set(.datanet, AccessSearched.self, "/reader", "mallory", "a search told of another"),
        Tampering(.datanet, "a search that shows what the Datanet does not have") { log in
            let place = try log.place(AccessSearched.type) { $0["items"]?.arrayValue?.isEmpty == false }
            log.set(place, "/items/0/item", "ct_none.1")
            return place
        },
        Tampering(.datanet, "a search that says another's work is mallory's") { log in
            let place = try log.place(AccessSearched.type) { $0["items"]?.arrayValue?.isEmpty == false }
            log.set(place, "/items/0/owner", "mallory")
            return place
        },
        .without(.datanet, AccessSearched.self, "a search by a grant that is not named", "grant"),
        .again(.datanet, AdmissionRefused.self, "a contribution refused twice"),
        Tampering(.datanet, "access used without a grant") { log in
            let granted = try log.place(AccessGranted.type) { $0["purpose"] == "read" }
            log.entries.remove(at: granted)
            return try log.place(AccessUsed.type) { $0["grant"] != nil }
        },
        Tampering(.datanet, "a contribution passed over") { log in
            // It shows where the next panel is drawn, and would at the end.
            let screened = try log.place(ContributionScreened.type)
            let id = log.get(screened, "/contribution")
            log.entries.removeAll { ["admission.granted", "admission.refused"].contains($0.type) && $0.data["contribution"] == id }
            return try log.place(ReviewDrawn.type)
        },
    ]

    // MARK: Training

    static let training: [Tampering] = [
        .actor(.training, BaseModelRegistered.self, "a base model registered in another's name"),
        .actor(.training, JobRequested.self, "a job asked for by a stranger"),
        .actor(.training, JobCheckpointed.self, "a checkpoint by another runner"),
        .actor(.training, JobFailed.self, "a failure told by another runner"),
        .set(.training, JobReleased.self, "/runner", "own-hana", "a job given back by who does not have it"),
        .actor(.training, JobCancelled.self, "a job cancelled by a stranger"),
        .actor(.training, JobPaused.self, "a job halted by a stranger"),
        .actor(.training, JobResumed.self, "a job set going by a stranger"),
        .actor(.training, ModelHandedOver.self, "a model given away by a stranger"),
        Tampering(.training, "a job with other settings than were asked for") { log in
            let place = try log.place(JobCompleted.type)
            let requested = try log.place(JobRequested.type)
            try log.rewrite(requested, "/settings") { $0.setting("/epochs", to: 900) }
            return min(place, requested)
        },
        .set(.training, JobStarted.self, "/attempt", 2, "an attempt that there was not"),
        .actor(.training, JobCompleted.self, "a job handed in by another runner"),
        .add(.training, JobCompleted.self, "/fee/amount", 1, "a training fee of one unit more"),
        Tampering(.training, "a training share moved from one owner to another") { log in
            let place = try log.place(JobCompleted.type)
            let shares = log.get(place, "/shares/entries")?.arrayValue ?? []
            log.set(place, "/shares/entries/0/share", .int((shares[0]["share"]?.intValue ?? 0) + 1))
            log.set(place, "/shares/entries/1/share", .int((shares[1]["share"]?.intValue ?? 0) - 1))
            return place
        },
        .set(.training, JobChecked.self, "/agrees", true, "a lie that was found, said to be none"),
        .set(.training, JobChecked.self, "/bound", 1_100, "a loss that was not claimed"),
        .set(.training, JobChecked.self, "/reached", 1, "a job said to give much more than was learned", nth: 1),
        .set(.training, JobChecked.self, "/base", 900, "a base model said to be better than what was claimed"),
        .actor(.training, JobDelivered.self, "work handed in by another runner"),
        .actor(.training, RunnerRegistered.self, "a runner that a stranger made join"),
        .set(.training, ModelPublished.self, "/split/owner", 3_000, "a split that is more than the whole"),
        .set(.training, ModelPublished.self, "/adapter", .digest(SHA256.hash(utf8: "x")), "a model with another adapter than its job's"),
        .actor(.training, ModelRetired.self, "a model retired by a stranger", nth: 1),
    ]

    // MARK: Attribution

    /// Makes the event fit an altered statement, as a cheat would.
    private static func statement(_ name: String, nth: Int = 0, _ change: @escaping @Sendable (JSONValue) throws -> JSONValue) -> Tampering
    {
        Tampering(.attribution, name) { log in
            let place = try log.place(AttributionComputed.type, nth)
            try log.rewrite(place, "/evidence", change)
            return place
        }
    }

    static let attribution: [Tampering] = [
        Tampering(.attribution, "a billionth moved from one owner to another") { log in
            let place = try log.place(AttributionComputed.type) { $0["shares"]?["entries"]?.arrayValue?.count ?? 0 > 1 }
            let shares = log.get(place, "/shares/entries")?.arrayValue ?? []
            log.set(place, "/shares/entries/0/share", .int((shares[0]["share"]?.intValue ?? 0) - 1))
            log.set(place, "/shares/entries/1/share", .int((shares[1]["share"]?.intValue ?? 0) + 1))
            return place
        },
        .set(.attribution, AttributionComputed.self, "/fallback", true, "a fallback that did not pay"),
        .set(.attribution, AttributionComputed.self, "/methods/0/confidence", 1_000_000_000, "more confidence than there was"),
        .set(.attribution, AttributionComputed.self, "/rules", "attribution/9", "other rules than the model's"),
        .again(.attribution, AttributionComputed.self, "an answer attributed twice"),
        statement("a statement with a cap that the model does not have") { $0.setting("/policy/cap", to: 1_000_000_000) },
        statement("a statement that leaves a searched snapshot out") { $0.setting("/sources", to: []) },
        statement("a statement that calls a verified owner unverified") { $0.setting("/unverified", to: ["mallory"]) },
        statement("a span credited to who does not own the item") { $0.setting("/computed/spans/0/earners/0/owner", to: "mallory") },
        statement("a span paid for more words than the answer has") { $0.setting("/computed/spans/0/paidTokens", to: 21) },
        statement("an owner with more new words than its items have") { value in
            let table = value["computed"]?["uniqueTokens"]?.objectValue?.members.first?.key ?? ""
            return value.setting("/computed/uniqueTokens/\(table)", to: 9_999)
        },
        statement("an owner's share sent to another Datanet") { value in
            let owner = value["datanets"]?.objectValue?.members.first?.key ?? ""
            return value.setting("/datanets/\(owner)", to: ["dn_other": 1])
        },
        Tampering(.attribution, "the fallback's table with an owner's tokens doubled") { log in
            let place = try log.place(AttributionComputed.type) { $0["fallback"] == true }
            try log.rewrite(place, "/evidence") { value in
                let owner = value["computed"]?["fallback"]?.objectValue?.members.first?.key ?? ""
                return value.setting("/computed/fallback/\(owner)", to: 8_888)
            }
            return place
        },
        Tampering(.attribution, "an index that measured more new words than words") { log in
            let place = try log.place(IndexBuilt.type)
            try log.rewrite(place, "/measures") { $0.setting("/0/unique", to: 5_000) }
            return place
        },
        .set(.attribution, IndexBuilt.self, "/root", .digest(SHA256.hash(utf8: "x")), "an index of another snapshot"),
        .set(.attribution, AttributionCorrected.self, "/shares/entries/0/owner", "mallory", "a correction that pays a stranger"),
        .set(.attribution, AttributionCorrected.self, "/ruling", "ru_none", "a correction without a ruling"),
        Tampering(.attribution, "an answer passed over") { log in
            let place = try log.place(InferenceCompleted.type, 1)
            let id = log.get(place, "/inference")
            log.entries.removeAll { $0.type == AttributionComputed.type && $0.data["inference"] == id }
            return place
        },
    ]

    // MARK: Billing

    /// Moves a unit between two of a transaction's entries.
    private static func shift<Payload: EventData>(_ type: Payload.Type, _ name: String, from: Int = 0, to: Int = 1, nth: Int = 0)
        -> Tampering
    {
        Tampering(.billing, name) { log in
            let place = try log.place(Payload.type, nth)
            try log.add(1, place, "/postings/entries/\(from)/amount/amount")
            try log.add(-1, place, "/postings/entries/\(to)/amount/amount")
            return place
        }
    }

    static let billing: [Tampering] = [
        shift(SettlementPosted.self, "a settlement with one unit given to another", from: 1, to: 2, nth: 1),
        .add(.billing, SettlementPosted.self, "/postings/entries/1/amount/amount", 1, "a settlement that does not add up", nth: 1),
        .set(.billing, SettlementPosted.self, "/release_at", "2020-01-01T00:00:00.000000Z", "a settlement without its holdback", nth: 1),
        .set(.billing, SettlementPosted.self, "/reference", "inf-other", "a settlement of something else", nth: 1),
        .again(.billing, SettlementPosted.self, "a settlement posted twice", nth: 1),
        Tampering(.billing, "a settlement left out") { log in
            let place = try log.place(SettlementPosted.type, 2)
            log.entries.remove(at: place)
            // The next one names the position of its attribution, which is no longer there.
            return try log.place(SettlementPosted.type, 2)
        },
        Tampering(.billing, "the price of a reading with one unit given to another") { log in
            let place = try log.place(SettlementPosted.type) { $0["kind"] == "access" }
            try log.add(1, place, "/postings/entries/1/amount/amount")
            try log.add(-1, place, "/postings/entries/2/amount/amount")
            return place
        },
        Tampering(.billing, "a task's part for a Datanet with one unit given to another") { log in
            let place = try log.place(SettlementPosted.type) {
                $0["kind"] == "task" && $0["postings"]?["entries"]?.arrayValue?.count ?? 0 > 3
            }
            try log.add(1, place, "/postings/entries/1/amount/amount")
            try log.add(-1, place, "/postings/entries/2/amount/amount")
            return place
        },
        .set(.billing, AccountVerified.self, "/claim", "rumour", "an owner verified by a claim of a kind that there is not"),
        .set(.billing, BudgetSet.self, "/thresholds/1", 200_000, "a budget with a threshold that there can't be"),
        .add(.billing, HoldReleased.self, "/amount/amount", 1, "a release of one unit more than was held"),
        shift(SettlementCorrected.self, "a correction with one unit given to another", nth: 1),
        .add(.billing, StakeWithdrawn.self, "/amount/amount", 1, "a stake withdrawn with a unit more than was unbonded"),
        .add(.billing, HoldCaptured.self, "/amount/amount", 1, "a capture of one unit more"),
        Tampering(.billing, "an answer's fee captured twice") { log in
            let answers = log.places(HoldCaptured.type) { $0["reference"]?.stringValue?.hasPrefix("in_") == true }
            let place = try #require(answers.last)
            log.repeatEvent(place)
            return place + 1
        },
        .add(.billing, HoldCaptured.self, "/usage/fee/amount", -50, "metered usage at another price"),
        .add(.billing, HoldPlaced.self, "/amount/amount", 1_000_000_000, "a hold of more than there is"),
        .set(
            .billing, HoldPlaced.self, "/id", .string("hd_" + String(repeating: "0", count: 32)),
            "a hold under another id than its command's"),
        Tampering(.billing, "a fee captured from another hold than the answer's") { log in
            let place = try #require(log.places(HoldCaptured.type).last)
            let other = try #require(log.places(HoldPlaced.type) { $0["id"] != log.get(place, "/id") }.last { $0 < place })
            log.set(place, "/id", log.get(other, "/id") ?? .null)
            return place
        },
        .again(.billing, DepositReceived.self, "a deposit credited twice"),
        shift(DepositReceived.self, "a deposit of one unit more than its entries say"),
        .add(.billing, JournalPosted.self, "/postings/entries/0/amount/amount", -1, "a transfer that does not add up"),
        shift(JournalPosted.self, "a reversal of something else", nth: 1),
        .set(.billing, AccountOpened.self, "/account", "escrow:own", "an account of a kind that opens by itself"),
        .set(.billing, PricePublished.self, "/version", 4, "a price that skips versions"),
        .set(.billing, SettlementRulesSet.self, "/platform_points", 10_500, "a platform's part of more than the whole"),
        shift(SettlementReleased.self, "a release that pays a unit more"),
        Tampering(.billing, "a settlement released before its time") { log in
            let released = try log.place(SettlementReleased.type)
            let settled = try log.place(SettlementPosted.type, 1)
            log.set(released, "/settlements/0", log.get(settled, "/id") ?? .null)
            return released
        },
        Tampering(.billing, "a share paid to who is not verified", isSeenBefore: true) { log in
            // Another was vouched for than who is paid.
            let verified = try log.place(KeyRotated.type, 1) { $0["verified"] != nil }
            log.set(verified, "/principal", log.get(try log.place(PrincipalRegistered.type, 3), "/principal") ?? .null)
            return try log.place(SettlementReleased.type)
        },
        .add(.billing, RefundPosted.self, "/amount/amount", 100_000_000, "a refund above the fee"),
        shift(RefundPosted.self, "a refund that takes a unit from another"),
        .add(.billing, DisputeOpened.self, "/bond/amount", -1, "a dispute with a smaller bond"),
        .set(.billing, DisputeResolved.self, "/upheld", false, "a ruling turned round"),
        shift(DisputeLapsed.self, "a bond that comes back with a unit more"),
        .add(.billing, HoldReturned.self, "/amount/amount", 1, "a fee that goes back with a unit more"),
        .set(.billing, HoldReturned.self, "/reference", "inf-other", "a fee given back of another answer", nth: 1),
        .set(.billing, ReactionClosed.self, "/reaction", "refuted", "something else closed than was asked"),
        .set(.billing, PayoutSent.self, "/batch", 5, "a file for the bank that skips numbers"),
        .set(.billing, StakeSlashed.self, "/beneficiary", "payer:mallory", "a slash that pays a stranger"),
        Tampering(.billing, "a stake that lost more than the ruling says") { log in
            let place = try log.place(StakeSlashed.type)
            try log.add(500, place, "/amount/amount")
            try log.add(-500, place, "/postings/entries/1/amount/amount")
            try log.add(500, place, "/postings/entries/0/amount/amount")
            return place
        },
        Tampering(.billing, "a stake withdrawn before its time") { log in
            let unbonded = try log.place(StakeUnbonded.type)
            log.set(unbonded, "/release_at", "2099-01-01T00:00:00.000000Z")
            return unbonded
        },
        shift(StakeRewarded.self, "a reward shared out otherwise", from: 1, to: 2),
        .add(.billing, StakeBonded.self, "/amount/amount", 1, "a stake of one unit more than was paid"),
        .set(.billing, PayoutFinished.self, "/paid", false, "a payout that arrived booked back"),
        .add(.billing, PayoutRequested.self, "/amount/amount", 1_000_000_000, "a payout of more than there is"),
        .set(.billing, PayoutEpochClosed.self, "/root", .string("0x" + String(repeating: "0", count: 64)), "an epoch with another root"),
        .set(.billing, PayoutEpochClosed.self, "/liabilities_root", .digest(SHA256.hash(utf8: "x")), "an epoch with other liabilities"),
        .add(.billing, PayoutEpochClosed.self, "/liabilities/amount", -1, "an epoch that owes a unit less"),
        .add(.billing, PayoutClaimed.self, "/cumulative/amount", 1, "a claim above what was earned"),
        .again(.billing, PayoutClaimed.self, "a claim booked twice"),
        .set(
            .billing, WalletSet.self, "/address", .string("0x" + String(repeating: "ee", count: 20)), "a wallet that is another's", nth: 1),
        Tampering(.billing, "a first wallet signed by a key that its owner never linked") { log in
            let place = try log.place(WalletSet.type)
            let forger = try Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32))
            let key = DIDKey.text(for: forger.publicKey)
            for member in ["/key", "/signer"] { log.set(place, member, .string(key)) }
            let message = WalletSet.message(
                owner: log.get(place, "/owner")?.stringValue ?? "", sequence: 0, address: log.get(place, "/address")?.stringValue ?? "",
                key: key, recovery: log.get(place, "/recovery")?.stringValue)
            log.set(place, "/signature", .string(Base64URL.encode(try forger.sign(message))))
            return place
        },
        .set(.billing, BudgetAlerted.self, "/threshold", 5_000, "an alert of another threshold than was crossed"),
        .again(.billing, BudgetAlerted.self, "an alert told twice"),
        Tampering(.billing, "a journal entry that came from nowhere") { log in
            let place = try log.place(JournalPosted.type)
            log.repeatEvent(place)
            log.set(place + 1, "/postings/entries/0/account", "payer:mallory")
            return place + 1
        },
    ]

    // MARK: The gateway

    /// Alters an answer and puts its command's digest right.
    private static func answer(_ name: String, _ change: @escaping @Sendable (inout TamperedLog, Int) throws -> Void) -> Tampering {
        Tampering(.agentGateway, name) { log in
            let place = try log.place(InferenceCompleted.type)
            try change(&log, place)
            log.entries[place].cause = .command(
                id: log.entries[place].cause.id, digest: SHA256.hash(try JSON.canonical(log.entries[place].data)))
            return place
        }
    }

    static let gateway: [Tampering] = [
        answer("an answer that costs one unit more") { log, place in try log.add(1, place, "/fee/amount") },
        Tampering(.agentGateway, "an answer that names another hold than its own") { log in
            let place = try log.place(InferenceCompleted.type) { $0["hold"] != nil }
            log.set(place, "/hold", .string("hd_" + String(repeating: "0", count: 32)))
            log.entries[place].cause = .command(
                id: log.entries[place].cause.id, digest: SHA256.hash(try JSON.canonical(log.entries[place].data)))
            return place
        },
        answer("an answer by a version that was never published") { log, place in log.set(place, "/version", 3) },
        answer("an answer by another adapter") { log, place in log.set(place, "/adapter", .digest(SHA256.hash(utf8: "x"))) },
        answer("a passage of a Datanet that the model does not look at") { log, place in
            log.set(
                place, "/passages/entries",
                [["datanet": "dn_x", "item": "i", "owner": "o", "offset": 0, "length": 1, "cited": true]])
        },
        .set(.agentGateway, InferenceCompleted.self, "/output_tokens", 1, "an answer that is not its command's"),
        Tampering(.agentGateway, "a principal registered with another's key") { log in
            let place = try log.place(PrincipalRegistered.type, 1)
            let key = try #require(log.get(try log.place(PrincipalRegistered.type), "/key")?.stringValue)
            log.set(place, "/key", .string(key))
            log.entries[place].actor = key
            return place
        },
        .set(
            .agentGateway, PrincipalRegistered.self, "/signature", .string(String(repeating: "A", count: 86)),
            "a principal who never signed"),
        Tampering(.agentGateway, "an agent whose owner signed with another's key") { log in
            let place = try log.place(PrincipalRegistered.type) { $0["owner"] != nil }
            log.set(place, "/owner_key", log.get(try log.place(PrincipalRegistered.type), "/key") ?? .null)
            return place
        },
        Tampering(.agentGateway, "a key linked that its holder did not offer") { log in
            let place = try log.place(KeyRotated.type) { $0["added"] != nil }
            log.set(place, "/signature", log.get(try log.place(PrincipalRegistered.type), "/signature") ?? .null)
            return place
        },
        .set(.agentGateway, PrincipalRegistered.self, "/kind", "agent", "an agent that belongs to nobody"),
        .set(.agentGateway, KeyRotated.self, "/verified", "rumour", "a claim of a kind that there is not"),
        .actor(.agentGateway, PrincipalConfigured.self, "a choice of how long texts are kept by a stranger"),
        Tampering(.agentGateway, "an answer whose texts are kept for longer than its payer wishes") { log in
            let place = try log.place(InferenceCompleted.type) { $0["kept_until"] != nil }
            log.set(place, "/kept_until", "2100-01-01")
            return place
        },
        Tampering(.agentGateway, "an answer kept by a choice that its payer had long taken back") { log in
            let place = try log.place(InferenceCompleted.type) { $0["kept_until"] != nil }
            let payer = log.get(place, "/payer") ?? .null
            var choice = log.entries[try log.place(PrincipalConfigured.type) { $0["principal"] == payer }]
            choice.data = choice.data.setting("/retention_days", to: 1)
            choice.cause = .command(id: "choice", digest: SHA256.hash(utf8: "choice"))
            choice.time = Timestamp(microseconds: log.entries[place].time.microseconds - 4_000_000)
            log.entries.insert(choice, at: place)
            return place + 1
        },
        .actor(.agentGateway, PrincipalErased.self, "texts erased by a stranger"),
        .actor(.agentGateway, KeyRevoked.self, "a key ended by a stranger"),
        .set(.agentGateway, KeyIssued.self, "/hash", .digest(SHA256.hash(utf8: "x")), "an API key with another hash"),
    ]

    // MARK: Agents among themselves

    static let economy: [Tampering] = [
        .actor(.agentGateway, MandateGranted.self, "a mandate over somebody else's money"),
        .actor(.agentGateway, MandateRevoked.self, "a mandate ended by a stranger"),
        .add(.agentGateway, MandateAuthorized.self, "/amount/amount", 1_000_000_000, "a payment above its mandate's budget"),
        Tampering(.agentGateway, "a unit more set aside of a mandate than the task costs") { log in
            try log.add(1, try log.place(MandateAuthorized.type) { $0["purpose"] == "task" }, "/amount/amount")
            return try log.place(TaskFunded.type)
        },
        .add(.agentGateway, MandateSettled.self, "/amount/amount", -1, "an answer for which its mandate counts a unit less"),
        Tampering(.agentGateway, "an answer under a mandate that never counted it") { log in
            let place = try log.place(MandateSettled.type)
            log.entries.remove(at: place)
            // It stands before it, in the same decision.
            return place - 1
        },
        .add(.agentGateway, PaymentOpened.self, "/amount/amount", 1, "a payment of a unit more than was signed"),
        .set(.agentGateway, PaymentOpened.self, "/payee", "mallory", "a payment that pays a stranger"),
        .set(.agentGateway, PaymentDelivered.self, "/payment", "pm_none", "something delivered for a payment that nobody opened"),
        .add(.agentGateway, PaymentSettled.self, "/amount/amount", 1, "a payment said to be of a unit more than billing moved"),
        .set(.agentGateway, PaymentFailed.self, "/payment", "pm_none", "a payment failed that nobody opened"),
        .set(.agentGateway, MandateFreed.self, "/reason", "expired", "money of a mandate freed as if its time were over"),
        .actor(.agentGateway, ApprovalRequested.self, "an approval asked for by another agent"),
        .actor(.agentGateway, ApprovalDecided.self, "an approval given by a stranger"),
        .actor(.agentGateway, ServiceListed.self, "a service offered in another's name"),
        .actor(.agentGateway, ServiceWithdrawn.self, "a service withdrawn by a stranger"),
        .actor(.agentGateway, TaskOpened.self, "a task opened in another's name"),
        .set(.agentGateway, TaskFunded.self, "/payer", "mallory", "a task that another pays for"),
        Tampering(.agentGateway, "a task funded from another hold than its own") { log in
            let place = try log.place(TaskFunded.type) { $0["hold"] != nil }
            log.set(place, "/hold", .string("hd_" + String(repeating: "0", count: 32)))
            return place
        },
        .actor(.agentGateway, TaskSubmitted.self, "work delivered by who was not asked"),
        .add(.agentGateway, TaskAccepted.self, "/payouts/0/amount/amount", -1, "a part of a task that earns a unit less"),
        .add(.agentGateway, TaskCompleted.self, "/payouts/0/amount/amount", -1, "a task that pays a unit less"),
        .actor(.agentGateway, TaskRejected.self, "a task refused by a stranger"),
        .again(.agentGateway, TaskExpired.self, "a task that ended twice"),
        Tampering(.agentGateway, "a task that ended before its time") { log in
            let expired = try log.place(TaskExpired.type)
            let task = log.get(expired, "/task")
            log.set(try log.place(TaskOpened.type) { $0["task"] == task }, "/deadline", .string(Self.late(log.entries[expired].time)))
            return expired
        },
        .set(
            .agentGateway, WalletLinked.self, "/address", .string("0x" + String(repeating: "7", count: 40)),
            "an address linked by another's signature"),
        .actor(.agentGateway, WalletUnlinked.self, "an address given up by a stranger"),
    ]

    /// An hour later.
    private static func late(_ time: Timestamp) -> String { Timestamp(microseconds: time.microseconds + 3_600_000_000).description }

    // MARK: The log itself

    static let ledger: [Tampering] = [
        Tampering(.ledger, "a new log key that the old one did not name") { log in
            var entry = log.entries[0]
            entry.type = "log-key.rotated"
            entry.stream = try #require(StreamName("log-key/log"))
            entry.actor = "ledger"
            entry.cause = .command(id: "log-key-x", digest: SHA256.hash(utf8: "x"))
            entry.ordinal = 0
            entry.data = ["next": "a", "previous": "b", "signature": "AAAA"]
            log.entries.append(entry)
            return log.entries.count - 1
        },
        Tampering(.billing, "a reaction at another time than what it reacts to") { log in
            let place = try log.place(SettlementPosted.type, 1)
            log.entries[place].time = Timestamp(microseconds: log.entries[place].time.microseconds + 1)
            return place
        },
        Tampering(.datanet, "an event on another's stream") { log in
            let place = try log.place(SnapshotPublished.type)
            log.entries[place].stream = try #require(StreamName("snapshot/sn_other"))
            return place
        },
        Tampering(.billing, "a list of evidence that is not there") { log in
            let place = try log.place(SettlementPosted.type, 1)
            log.set(place, "/postings", ["evidence": .digest(SHA256.hash(utf8: "gone")), "count": 300])
            return place
        },
        Tampering(.attribution, "a statement that was taken away") { log in
            let place = try log.place(AttributionComputed.type)
            log.evidence[try #require(log.get(place, "/evidence")?.stringValue.flatMap { Digest(prefixed: $0) })] = nil
            return place
        },
        Tampering(.training, "a record that was altered under its name") { log in
            let place = try log.place(JobCompleted.type)
            log.evidence[try #require(log.get(place, "/record")?.stringValue.flatMap { Digest(prefixed: $0) })] = Array("{}".utf8)
            return place
        },
    ]
}
