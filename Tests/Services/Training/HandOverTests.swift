import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport
import Testing
import TrainingDomain

/// An adapter follows the model that is handed over.
@Suite struct HandOverTests {
    private let digest = SHA256.hash(utf8: "artefact")

    @Test func theNewOwnerPublishesAndRetrainsAndTheOldOneDoesNot() throws {
        let usdc = try Asset("USDC/6")
        let reference = SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: digest)
        var terms = ModelPublished(
            model: "ann/defi", version: 1, owner: "ann", base: "tiny", adapter: digest, job: "j", snapshots: [reference], retrieval: [],
            price: ModelPrice(request: Amount(1, usdc), input: Amount(2, usdc), output: Amount(3, usdc)),
            split: ModelSplit(owner: 3_000, datanets: 1_000, contributors: 5_000, validators: 500, compute: 500),
            attribution: AttributionPolicy(
                rules: "attribution/1", spans: 5_000, influence: 5_000, retrieval: 0, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
                minimumSpan: 8))
        let context = DecisionContext(
            time: Timestamp(microseconds: 1), logTime: Timestamp(microseconds: 1), cause: .command(id: "c", digest: digest), actor: "ann")
        var state = TrainingState()
        var count = 0
        func tell(_ data: some EventData) throws {
            try state.apply(Fact.made(data, count))
            count += 1
        }
        try tell(BaseModelRegistered(model: "tiny", owner: "house", artefact: digest, licence: "MIT", parameters: 1))
        try tell(PrincipalRegistered(principal: "bob", kind: "person", key: "did:key:z6Mk"))
        for owner in ["ann", "bob"] { try tell(AccessGranted(grant: owner, datanet: "dn", grantee: owner, purpose: "train")) }
        try tell(
            SnapshotPublished(
                datanet: "dn", snapshot: "sn", number: 1, root: digest, manifest: digest, items: 1, tokens: 10, owners: 1, list: digest))
        try tell(JobRequested(job: "j", owner: "ann", base: "tiny", snapshots: [reference], settings: digest, fee: Amount(5, usdc)))
        try tell(
            JobCompleted(
                job: "j", owner: "ann", base: "tiny", snapshots: [reference], adapter: digest, shares: .entries([]), tokens: 1,
                fee: Amount(5, usdc), runner: "r", record: digest))
        try tell(terms)
        #expect(state.jobs["j"].map { state.owner(of: $0) } == "ann")
        for event in try ModelRules.handOver("ann/defi", to: "bob", by: "ann")(state, context) {
            let data = try event.data.object()
            switch event.type {
            case ModelHandedOver.type: try tell(ModelHandedOver(data))
            case ModelPublished.type: try tell(ModelPublished(data))
            default: try tell(ModelRetired(data))
            }
        }
        #expect(state.jobs["j"].map { state.owner(of: $0) } == "bob")
        terms.owner = "bob"
        terms.price = ModelPrice(request: Amount(9, usdc), input: Amount(9, usdc), output: Amount(9, usdc))
        let priced = try ModelPublished(#require(ModelRules.publish(terms)(state, context).first).data.object())
        #expect(priced.adapter == digest && priced.version == 3 && priced.price == terms.price)
        (terms.owner, terms.model) = ("ann", "ann/other")
        #expect(throws: TrainingError.notFound("job j")) { try ModelRules.publish(terms)(state, context) }
        func retrain(_ owner: String) throws -> Int {
            let request = TrainingRules.Request(
                owner: owner, base: "tiny", snapshots: [("dn", 1)], settings: TrainingSettings(), settingsDigest: digest,
                price: Amount(1, usdc), hold: nil)
            let events: [NewEvent] = try TrainingRules.retrain("j", request, without: digest, leftOut: 1)(state, context)
            return events.count
        }
        #expect(throws: TrainingError.notFound("job j")) { try retrain("ann") }
        #expect(try retrain("bob") == 1)
    }
}
