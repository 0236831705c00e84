import Crypto
import DatanetDomain
import EventLog
import Events
import JSON
import TestSupport
import Testing

@Suite struct SnapshotTests {
    private func items(_ count: Int, _ random: inout SeededGenerator) -> [AdmittedItem] {
        (0..<count).map { number in
            AdmittedItem(
                item: "it_\(number)", contribution: "co_\(number % 5)", owner: "o\(number % 7)", commitment: SHA256.hash(random.bytes(32)),
                tokens: Int.random(in: 0...500, using: &random), licence: number % 3 == 0 ? "MIT" : "CC-BY-4.0",
                language: number % 4 == 0 ? "de" : "en", cluster: "it_\(number / 2 * 2)")
        }
    }

    @Test func theLicenceReportCountsEachItemOnceByLicenceAndByLanguage() throws {
        var random = Seed.generator()
        let list = items(200, &random)
        let report = SnapshotReport(list) { $0.owner == "o3" }
        #expect(report.whole.items == 200 && report.whole.tokens == list.reduce(0) { $0 + $1.tokens } && report.whole.owners.count == 7)
        #expect(report.licences.values.reduce(0) { $0 + $1.tokens } == report.whole.tokens)
        #expect(report.languages.values.reduce(0) { $0 + $1.items } == 200 && report.contributions == 5)
        #expect(report.licences["MIT"]?.items == list.filter { $0.licence == "MIT" }.count)
        #expect(report.withdrawn.items == list.filter { $0.owner == "o3" }.count && report.withdrawn.owners == ["o3"])
        let names = report.json["licences"]?.arrayValue?.compactMap { $0["licence"]?.stringValue }
        #expect(names == ["CC-BY-4.0", "MIT"])
    }

    /// RFC 6962 §2.1 word for word: split at the largest power of two below the length.
    private func naive(_ leaves: ArraySlice<[UInt8]>) -> Digest {
        if leaves.isEmpty { return SHA256.hash([]) }
        if leaves.count == 1 { return SHA256.hash([0x00] + leaves[leaves.startIndex]) }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return SHA256.hash([0x01] + naive(leaves[..<middle]).bytes + naive(leaves[middle...]).bytes)
    }

    @Test func theRootIsThatOfTheRFCOverTheListInWhateverOrderItemsCome() throws {
        var random = Seed.generator()
        for count in Array(1...40) + [63, 64, 65, 255, 1_000] {
            let list = items(count, &random)
            let tree = try SnapshotTree(list.shuffled(using: &random))
            #expect(try SnapshotTree(list).root == tree.root)
            // From the list in the evidence store alone, as a stranger would.
            let stored = try JSON.parse(try tree.list(), limits: JSONLimits(bytes: 1 << 24, items: 1_000_000)).arrayValue ?? []
            let leaves = try stored.map { try JSON.canonical($0) }
            #expect(naive(leaves[...]) == tree.root, "seed \(random.seed), \(count) items")
            let ordered = tree.items.map { $0.commitment.bytes + Array($0.item.utf8) }
            #expect(zip(ordered, ordered.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
        }
    }

    @Test func everyItemHasAProofAndNoOtherItemHasIt() throws {
        var random = Seed.generator()
        for count in [1, 2, 3, 7, 8, 13, 100] {
            let tree = try SnapshotTree(items(count, &random))
            for index in 0..<count {
                let leaf = Merkle.leaf(try SnapshotTree.leafBytes(tree.items[index]))
                try tree.proof(at: index).verify(leaf: leaf, root: tree.root)
                var forged = tree.items[index]
                forged.owner = "thief"
                let false_ = Merkle.leaf(try SnapshotTree.leafBytes(forged))
                #expect(throws: ProofError.self) { try tree.proof(at: index).verify(leaf: false_, root: tree.root) }
            }
        }
    }

    @Test func theDiffIsWhatIsMoreAndWhatIsLess() throws {
        var random = Seed.generator()
        let all = items(50, &random)
        let diff = SnapshotDiff(from: Array(all[..<40]), to: Array(all[10...]))
        #expect(Set(diff.removed) == Set(all[..<10]) && Set(diff.added) == Set(all[40...]) && diff.kept == 30)
    }

    @Test func figuresAreCounted() throws {
        var random = Seed.generator()
        let list = items(21, &random)
        let figures = SnapshotStatistics(list)
        #expect(figures.items == 21 && figures.owners == 7 && figures.tokens == list.reduce(0) { $0 + $1.tokens } && figures.clusters == 11)
        #expect(figures.licences == ["MIT": 7, "CC-BY-4.0": 14] && figures.languages == ["de": 6, "en": 15])
    }

    @Test func nothingIsPublishedOfNothingNorByAnybodyNorOfWhatIsGone() throws {
        var play = Rehearsal()
        let id = try play.create()
        func prepare(_ play: Rehearsal) throws -> SnapshotRules.Prepared {
            let tree = try SnapshotTree(try play.live(id))
            return SnapshotRules.Prepared(
                revision: try play.state.datanet(id).revision, root: tree.root, list: SHA256.hash(try tree.list()), manifest: .zero,
                published: play.time, statistics: SnapshotStatistics(tree.items))
        }
        let empty = try prepare(play)
        #expect(refusal { try play.act("olga") { try SnapshotRules.publish($0, id, empty, $1) } } == "nothing-to-publish")
        try play.screen("co_1", id, [.item("a"), .item("b")])
        try play.settle("co_1")
        let both = try prepare(play)
        #expect(refusal { try play.act("ann") { try SnapshotRules.publish($0, id, both, $1) } } == "not-allowed")
        #expect(refusal { try play.act("olga") { try SnapshotRules.publish($0, "dn_other", both, $1) } } == "unknown-datanet")
        let first = try play.act("olga") { try SnapshotRules.publish($0, id, both, $1) }.payload(SnapshotPublished.self)
        let second = try play.act("olga") { try SnapshotRules.publish($0, id, both, $1) }.payload(SnapshotPublished.self)
        #expect(first.number == 1 && second.number == 2 && first.root == second.root)
        try play.happen(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["a"]))
        #expect(throws: DatanetRefusal.stale) { try play.act("olga") { try SnapshotRules.publish($0, id, both, $1) } }
        let left = try prepare(play)
        let third = try play.act("olga") { try SnapshotRules.publish($0, id, left, $1) }.payload(SnapshotPublished.self)
        #expect(third.items == 1 && third.root != first.root)
    }
}
