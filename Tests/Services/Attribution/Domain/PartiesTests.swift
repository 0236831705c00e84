import AttributionDomain
import Crypto
import Events
import Testing
import TestSupport

@Suite("Parties, by the rules 4") struct PartiesTests {
    /// What the authors a1 to a4 wrote ivy brought; she, eve and zoe are not verified, and ann and bob are.
    private let behind = Parties(["a1": "ivy", "a2": "ivy", "a3": "ivy", "a4": "ivy", "ivy": "", "eve": "", "zoe": ""])

    private func items(_ owners: [String], _ parties: Parties) -> SnapshotItems {
        SnapshotItems(
            Dictionary(
                uniqueKeysWithValues: owners.enumerated().map { ($1, ItemFacts(owner: $1, position: $0, tokens: 500)) }),
            parties: parties)
    }

    private func tie(_ owners: [String], rules: Int = 4, parties: Parties? = nil) throws -> AttributionResult {
        try Attribution.compute(
            answer: WordSequence(words(0..<100)), prompt: WordSequence(""), index: ToldSpans(matches: [span(0, 20, owners)]),
            items: items(owners, parties ?? behind), policy: policy([.spans: 1_000_000_000]) { $0.rules = rules })
    }

    @Test func theNamesOfAnImporterAreOnePartyInATieAndSoAreAllWhoAreNotVerified() throws {
        #expect(try tie(["ann", "a1", "a2", "a3", "a4"]).byOwner["ann"] == 500_000_000)
        #expect(try tie(["ann", "a1"]).byOwner["ann"] == 500_000_000)
        // Within the crowd ivy's four names have what eve has.
        let crowd = try tie(["ann", "a1", "a2", "a3", "a4", "eve"])
        #expect(
            crowd.byOwner == [
                "ann": 500_000_000, "eve": 250_000_000, "a1": 62_500_000, "a2": 62_500_000, "a3": 62_500_000, "a4": 62_500_000,
            ])
        // Her own name is one of hers.
        #expect(try tie(["a1", "ivy", "eve"]).byOwner == ["a1": 250_000_000, "ivy": 250_000_000, "eve": 500_000_000])
        // Where nobody is verified each earns as much as any.
        #expect(try tie(["eve", "zoe"]).byOwner == ["eve": 500_000_000, "zoe": 500_000_000])
        // An importer who is verified is one party with the names.
        let verified = Parties(["a1": "ann", "a2": "ann"])
        #expect(try tie(["ann", "a1", "a2", "bob"], parties: verified).byOwner["bob"] == 500_000_000)
        #expect(crowd.evidence.parties == Parties(["a1": "ivy", "a2": "ivy", "a3": "ivy", "a4": "ivy", "ivy": "", "eve": ""]))
    }

    @Test func upToTheRules3EachNameCountsForItself() throws {
        let old = try tie(["ann", "a1", "a2", "a3"], rules: 3)
        #expect(old.byOwner == ["ann": 250_000_000, "a1": 250_000_000, "a2": 250_000_000, "a3": 250_000_000])
        #expect(old.evidence.parties == .alone)
        #expect(try String(decoding: old.evidence.bytes(), as: UTF8.self).contains("behind") == false)
    }

    @Test func aSplitEarnsByInfluenceWhatOneNameWould() throws {
        func payout(_ scores: [(String, Int64)], _ parties: Parties, rules: Int = 4) throws -> [String: Int] {
            let checkpoint = InfluenceScores(
                rows: .zero, query: .zero, items: scores.map(\.0), scores: scores.map(\.1), exponent: -20)
            return try Attribution.compute(
                answer: WordSequence("an answer"), prompt: WordSequence(""), index: nil,
                influence: InfluenceInput(checkpoints: [checkpoint], canaries: Canary.names(among: scores.map(\.0))),
                items: items(scores.map(\.0).filter { !$0.hasPrefix("canary") }, parties),
                policy: policy([.influence: 1_000_000_000]) { $0.rules = rules }
            ).byOwner
        }
        // One name of ivy's has 300 and one -200: she has 100, as ann.
        let scores: [(String, Int64)] = [("ann", 100), ("a1", 300), ("a2", -200)]
        #expect(try payout(scores, behind) == ["ann": 500_000_000, "a1": 500_000_000])
        #expect(try payout(scores, behind, rules: 3) == ["ann": 250_000_000, "a1": 750_000_000])
        // What the crowd earns goes to those in it by what they have above zero, ivy's names together.
        let unit: Int64 = 1 << 40
        let shared = try payout([("ann", unit), ("eve", unit), ("a1", 2 * unit), ("a2", unit), ("a3", -2 * unit)], behind)
        for (owner, share) in ["ann": 333_333_333, "eve": 333_333_333, "a1": 222_222_222, "a2": 111_111_111, "a3": 0] {
            #expect(abs((shared[owner] ?? 0) - share) <= 2, "\(owner)")
        }
        // And what of theirs canaries would earn is nobody's, in the crowd too.
        let garbage: [(String, Int64)] = [("ann", 500), ("eve", 400), ("zoe", 40), ("canary/0/0", -50)]
        #expect(try payout(garbage, behind)["zoe"] == nil)
        #expect(try payout(garbage, behind, rules: 3)["zoe"] != nil)
    }

    @Test func passagesAreSharedByParties() throws {
        let owners = ["ann", "a1", "a2"]
        let passages = try owners.map { RetrievedPassage(item: $0, text: try WordSequence(words(0..<30)), isCited: true) }
        func shares(_ rules: Int) throws -> [String: Int] {
            try Attribution.compute(
                answer: WordSequence(words(0..<30)), prompt: WordSequence(""), index: nil, retrieval: passages,
                items: items(owners, behind),
                policy: policy([.retrieval: 1_000_000_000]) { $0.rules = rules }
            ).byOwner
        }
        #expect(try shares(4) == ["ann": 500_000_000, "a1": 250_000_000, "a2": 250_000_000])
        #expect(try Set(shares(3).values).isSubset(of: [333_333_333, 333_333_334]))
    }

    @Test func theCapIsOfAParty() throws {
        let half = 500_000_000
        func cap(_ shares: [String: Int], _ unverified: Set<String>, _ parties: Parties) throws -> [String: Int] {
            try OwnerCap.apply(
                shares.map { OwnerShare(owner: $0.key, share: $0.value) }, cap: half, admitted: ["ann": 10, "bob": 10, "a1": 10],
                unverified: unverified, parties: parties)
        }
        let shares = ["ann": 500_000_000, "a1": 400_000_000, "bob": 100_000_000]
        // Ann brought what a1 wrote, and has nine tenths with that.
        #expect(try cap(shares, ["a1"], Parties(["a1": "ann"]))["bob"] == half)
        #expect(try cap(shares, ["a1"], .alone) == shares)
    }

    @Test func splittingANamePartyNeverChangesWhatOthersGet() throws {
        var random = Seed.generator()
        for _ in 0..<200 {
            let others = (0..<Int.random(in: 1...5, using: &random)).map { "v\($0)" }
            let names = (0..<Int.random(in: 1...6, using: &random)).map { "n\($0)" }
            let importer = Parties(Dictionary(uniqueKeysWithValues: names.map { ($0, "imp") } + [("imp", "")]))
            let split = try tie(others + names, parties: importer).byOwner
            let whole = try tie(others + ["imp"], parties: Parties(["imp": ""])).byOwner
            for other in others { #expect(abs((split[other] ?? 0) - (whole[other] ?? 0)) <= 2, "seed \(random.seed)") }
        }
    }

    @Test func whatLeadsToNobodyIsRefusedWhenItIsRead() throws {
        func read(_ behind: String) throws(AttributionError) -> AttributionEvidence {
            try AttributionEvidence(json: Array(#"{"answerTokens":1,"behind":\#(behind),"echoedTokens":0,"rules":4}"#.utf8))
        }
        #expect(try read(#"{"a1":"ivy","ivy":""}"#).parties == Parties(["a1": "ivy", "ivy": ""]))
        for bad in [#"{"a":"b","b":"a"}"#, #"{"a":"a"}"#, #"{"":"a"}"#, #"{"a":1}"#] {
            #expect(throws: AttributionError.self, "\(bad)") { try read(bad) }
        }
    }

    @Test func whoStandsBehindANameFollowsFromTheLog() {
        var names = OwnerNames()
        names.bring(contribution: "c1", by: "ivy")
        names.bring(contribution: "c2", by: "bob")
        names.bring(contribution: "c3", by: "cy")
        names.prove("ann", at: 5)
        names.prove("bob", at: 20)
        names.claim("author_2", by: "pat", at: 30)
        let items = [
            Item("author_1", "c1"), Item("author_2", "c2"), Item("author_3", "c2"), Item("cy", "c3"), Item("ann", "c4"), Item("eve", "c5"),
            Item("author_1", "c2"),
        ]
        func parties(_ position: UInt64, rules: Int = 4) -> [String: String] { table(items, names, position, rules).items.parties.behind }
        #expect(
            parties(10) == [
                "author_1": "ivy", "ivy": "", "author_2": "bob", "author_3": "bob", "bob": "", "cy": "", "eve": "",
            ])
        // Bob is verified, and one party with the work that he brought; what pat has claimed is pat's.
        #expect(parties(25) == ["author_1": "ivy", "ivy": "", "author_2": "bob", "author_3": "bob", "cy": "", "eve": ""])
        #expect(parties(40) == ["author_1": "ivy", "ivy": "", "author_3": "bob", "cy": "", "eve": ""])
        #expect(parties(40, rules: 3).isEmpty)
        #expect(names.lastChange(before: 25, rules: 4) == 20 && names.lastChange(before: 25, rules: 3) == nil)
        #expect(names.lastChange(before: 20, rules: 4) == nil)
    }

    private struct Item {
        let owner: String
        let contribution: String

        init(_ owner: String, _ contribution: String) { (self.owner, self.contribution) = (owner, contribution) }
    }

    private func table(_ items: [Item], _ names: OwnerNames, _ position: UInt64, _ rules: Int) -> CreditTable {
        let known = items.enumerated().map { number, item in
            KnownItem(
                admitted: AdmittedItem(
                    item: "i\(number)", contribution: item.contribution, owner: item.owner, commitment: .zero, tokens: 100,
                    licence: "CC0-1.0", language: "en", cluster: "i\(number)"),
                datanet: "dn", position: UInt64(number), unique: 100, head: nil)
        }
        let source = AttributionStatement.Source(
            snapshot: SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: .zero), index: nil, isRetrieval: false)
        return CreditTable(
            [SearchedSnapshot(source, items: known)], withdrawals: Withdrawals(), before: position, rules: rules, names: names)
    }
}
