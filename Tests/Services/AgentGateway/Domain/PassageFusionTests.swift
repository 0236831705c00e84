import AgentGatewayDomain
import Crypto
import Decisions
import Events
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct PassageFusionTests {
    private func lists(_ random: inout some RandomNumberGenerator) -> [PassageFusion.Lists] {
        (0..<Int.random(in: 0...4, using: &random)).map { net in
            func some() -> [String] {
                Array((0..<12).map { "it_\($0 + 6 * net)" }.shuffled(using: &random).prefix(Int.random(in: 0...12, using: &random)))
            }
            return PassageFusion.Lists(datanet: "dn_\(net)", text: some(), similar: some())
        }
    }

    private func passages(_ found: [PassageFusion.Found]) -> [RetrievedPassage] {
        found.map {
            RetrievedPassage(
                datanet: $0.datanet, item: $0.item, owner: "o", offset: 0, length: 1, cited: false, textRank: $0.textRank,
                similarityRank: $0.similarityRank)
        }
    }

    private let ranking = RetrievalRanking(rule: PassageFusion.rule, embeddings: "embed")

    @Test func wordsAloneTakeTurnsAndBothTogetherComeFirst() {
        let fused = PassageFusion.fuse([
            PassageFusion.Lists(datanet: "b", text: ["b1", "b2"], similar: []),
            PassageFusion.Lists(datanet: "a", text: ["a1", "a2"], similar: []),
        ])
        #expect(fused.map(\.item) == ["b1", "a1", "b2", "a2"])
        let both = PassageFusion.fuse([PassageFusion.Lists(datanet: "a", text: ["x", "y", "z"], similar: ["w", "z"])])
        #expect(both.map(\.item) == ["z", "w", "x", "y"])
        #expect(both.first?.textRank == 3 && both.first?.similarityRank == 2)
        // 10^9/63 + 10^9/62, each rounded down.
        #expect(PassageFusion.score(textRank: 3, similarityRank: 2) == 15_873_015 + 16_129_032)
    }

    @Test func theOrderFollowsFromTheRanksWhateverWasLeftOut() {
        var random = Seed.generator()
        for _ in 0..<300 {
            let lists = lists(&random)
            let fused = PassageFusion.fuse(lists)
            let datanets = lists.map(\.datanet)
            #expect(Set(fused.map(\.item)) == Set(lists.flatMap { $0.text + $0.similar }) && Set(fused.map(\.item)).count == fused.count)
            let kept = passages(fused.filter { _ in Bool.random(using: &random) })
            #expect(PassageFusion.fault(in: kept, ranking: ranking, datanets: datanets) == nil)
            if kept.count > 1 {
                #expect(PassageFusion.fault(in: kept.reversed(), ranking: ranking, datanets: datanets) != nil)
            }
        }
    }

    @Test func whatDoesNotFollowIsNamed() {
        let good = passages(PassageFusion.fuse([PassageFusion.Lists(datanet: "a", text: ["x", "y"], similar: ["y", "z"])]))
        func fault(_ passages: [RetrievedPassage], _ ranking: RetrievalRanking?) -> String? {
            PassageFusion.fault(in: passages, ranking: ranking, datanets: ["a"])
        }
        #expect(fault(good, ranking) == nil && fault([], nil) == nil)
        #expect(fault(good, nil)?.contains("no rule") == true)
        #expect(fault(good, RetrievalRanking(rule: "retrieval/9", embeddings: "embed"))?.contains("retrieval/9") == true)
        var bad = good
        bad[0].textRank = nil
        bad[0].similarityRank = nil
        #expect(fault(bad, ranking)?.contains("nothing found") == true)
        bad = good
        bad[1].item = bad[0].item
        #expect(fault(bad, ranking)?.contains("twice") == true)
        bad = good
        bad[2].similarityRank = bad[0].similarityRank
        #expect(fault(bad, ranking)?.contains("one rank") == true)
    }

    @Test func aDirectionIsWholeNumbersAndAsLikeAsItsCosine() throws {
        var random = Seed.generator()
        for length in [1, 2, 3, 384, 8_192] {
            let (one, other) = (
                (0..<length).map { _ in Double.random(in: -3...3, using: &random) },
                (0..<length).map { _ in Double.random(in: -3...3, using: &random) }
            )
            let (a, b) = (try #require(UnitVector(one)), try #require(UnitVector(other)))
            func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
            let cosine = dot(one, other) / (dot(one, one) * dot(other, other)).squareRoot()
            let likeness = try #require(a.likeness(to: b))
            #expect(abs(Double(likeness) / Double(UnitVector.one * UnitVector.one) - cosine) < 1e-2, "\(length)")
            #expect(a.likeness(to: b) == b.likeness(to: a) && UnitVector(bytes: a.bytes) == a)
            // Its length does not matter, however large or small.
            #expect(UnitVector(one.map { $0 * 0x1p900 }) == a && UnitVector(one.map { $0 * 0x1p-900 }) == a)
        }
        for bad in [[], [0, 0], [.nan], [.infinity, 1], Array(repeating: 1, count: UnitVector.most + 1)] { #expect(UnitVector(bad) == nil) }
        #expect(try #require(UnitVector([1, 2])).likeness(to: try #require(UnitVector([1]))) == nil)
        #expect(UnitVector(bytes: []) == nil && UnitVector(bytes: [1]) == nil)
    }

    @Test func whatMayBeTakenFollowsTheLog() throws {
        func item(_ name: String, owner: String) -> AdmittedItem {
            AdmittedItem(
                item: name, contribution: "ct_" + name, owner: owner, commitment: SHA256.hash(utf8: name), tokens: 1, licence: "MIT",
                language: "en",
                cluster: name)
        }
        func snapshot(_ net: String, _ number: Int) -> SnapshotPublished {
            SnapshotPublished(
                datanet: net, snapshot: "\(net)-\(number)", number: number, root: .zero, manifest: .zero, items: 0, tokens: 0, owners: 0,
                list: .zero)
        }
        var state = GatewayState()
        var place = 0
        func apply(_ data: some EventData) throws {
            try state.apply(Fact.made(data, place))
            place += 1
        }
        try apply(snapshot("dn_1", 1))
        #expect(state.retrieval.sources.isEmpty)
        try apply(Terms.model("acme/reader", retrieval: ["dn_2", "dn_1"]))
        #expect(state.retrieval.sources.map(\.published.snapshot) == ["dn_1-1"])
        try apply(snapshot("dn_2", 1))
        try apply(snapshot("dn_1", 2))
        #expect(state.retrieval.sources.map(\.published.snapshot) == ["dn_1-2", "dn_2-1"])
        let before = state.retrieval.revision
        try apply(ContributionWithdrawn(contribution: "ct_a", contributor: "ann", items: []))
        try apply(ContentErased(owner: "bob", items: [], receipt: .zero))
        try apply(ContentErased(owner: "cleo", contribution: "ct_c", items: ["c"], receipt: .zero))
        #expect(state.retrieval.revision == before + 3)
        let source = try #require(state.retrieval.sources.first)
        let gone = [item("a", owner: "ann"), item("b", owner: "bob"), item("c", owner: "cleo"), item("d", owner: "ann")]
        #expect(gone.map { state.retrieval.isGone($0, of: source) } == [true, true, true, false])
        // What an owner brought after an erasure stands in a later snapshot.
        try apply(snapshot("dn_1", 3))
        #expect(state.retrieval.isGone(item("b", owner: "bob"), of: try #require(state.retrieval.sources.first)) == false)
        try apply(ModelRetired(model: "acme/reader", version: 1))
        #expect(state.retrieval.sources.isEmpty)
    }
}
