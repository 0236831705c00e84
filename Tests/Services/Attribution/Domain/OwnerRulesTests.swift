import AttributionDomain
import Crypto
import Events
import Testing
import TestSupport

@Suite("Whose an item is by the rules 3") struct OwnerRulesTests {
    /// An item of a list: its cluster by the Datanet, and what its index says it repeats.
    private struct Made {
        let id: String
        let owner: String
        var cluster: String?
        var head: String?
        var unique = 100
        var position: UInt64 = 1
    }

    private func table(
        _ items: [Made], gone: Set<String> = [], rules: Int = 3, names: OwnerNames = OwnerNames()
    ) -> CreditTable {
        var withdrawals = Withdrawals()
        for id in gone.sorted() { withdrawals.withdraw(contribution: "c-" + id, items: [], at: 50) }
        let known = items.map { made in
            KnownItem(
                admitted: AdmittedItem(
                    item: made.id, contribution: "c-" + made.id, owner: made.owner, commitment: .zero, tokens: 100, licence: "CC0-1.0",
                    language: "en", cluster: made.cluster ?? made.id),
                datanet: "dn", position: made.position, unique: made.unique, head: made.head)
        }
        let source = AttributionStatement.Source(
            snapshot: SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: .zero), index: nil, isRetrieval: false)
        return CreditTable([SearchedSnapshot(source, items: known)], withdrawals: withdrawals, before: 100, rules: rules, names: names)
    }

    @Test func ofAClusterWhoseHeadIsGoneTheEarliestCopyEarnsAndItAlone() {
        let items = [
            Made(id: "h", owner: "ann", position: 1), Made(id: "x", owner: "eve", head: "h", unique: 3, position: 4),
            Made(id: "y", owner: "bob", cluster: "h", unique: 0, position: 3), Made(id: "z", owner: "zoe", position: 2),
        ]
        let now = table(items, gone: ["h"]).items
        #expect(now.earner(for: "x") == "y" && now.earner(for: "y") == "y" && now.earner(for: "z") == "z")
        // What was new in the head is new in the one that stands for it.
        #expect(now.admittedTokens.filter { $0.value > 0 } == ["bob": 100, "zoe": 100] && now.uniqueTokens["bob"] == 100)
        let before = table(items, gone: ["h"], rules: 2).items
        #expect(before.admittedTokens == ["eve": 100, "bob": 100, "zoe": 100] && before.earner(for: "x") == "x")
        let whole = table(items).items
        #expect(whole.admittedTokens.filter { $0.value > 0 } == ["ann": 100, "zoe": 100] && whole.earner(for: "y") == "h")
        // The head has left all lists: its copies are still one cluster.
        let absent = table(Array(items.dropFirst())).items
        #expect(absent.admittedTokens.filter { $0.value > 0 }.count == 2)
    }

    @Test func headsAreFollowedToTheEndAndCirclesHaveOne() {
        // B is an excerpt of C; A is a variant of B.
        let items = [
            Made(id: "a", owner: "ann", cluster: "b", position: 3), Made(id: "b", owner: "bob", head: "c", position: 2),
            Made(id: "c", owner: "cy", position: 1),
        ]
        let now = table(items).items
        #expect(now.earner(for: "a") == "c" && now.earner(for: "b") == "c")
        #expect(table(items, rules: 2).items.earner(for: "a") == "b")
        #expect(table(items, gone: ["c"]).items.earner(for: "a") == "b")
        #expect(table(items, gone: ["b"]).items.earner(for: "a") == "c")
        let circle = [
            Made(id: "q", owner: "a", cluster: "p"), Made(id: "p", owner: "b", head: "q"),
            Made(id: "r", owner: "c", head: "q", position: 2),
        ]
        let found = table(circle).items
        #expect(Set(["p", "q", "r"].map { found.earner(for: $0) }) == ["p"])
    }

    @Test func everyClusterHasOneLivingHeadThatEarnsForItself() {
        var random = Seed.generator()
        for _ in 0..<300 {
            let count = Int.random(in: 1...12, using: &random)
            let items = (0..<count).map { number in
                let other = "i\(Int.random(in: 0..<14, using: &random))"
                return Made(
                    id: "i\(number)", owner: "o\(number % 4)", cluster: Bool.random(using: &random) ? other : nil,
                    head: Bool.random(using: &random) ? "i\(Int.random(in: 0..<count, using: &random))" : nil,
                    unique: Int.random(in: 0...100, using: &random), position: UInt64.random(in: 1...5, using: &random))
            }
            let gone = Set(items.map(\.id).filter { _ in Int.random(in: 0..<3, using: &random) == 0 })
            let table = table(items, gone: gone).items
            for item in items where !gone.contains(item.id) {
                let head = table.earner(for: item.id)
                #expect(table.facts[head] != nil && table.earner(for: head) == head, "seed \(random.seed)")
            }
            let shuffled = self.table(items.shuffled(using: &random), gone: gone).items
            #expect(shuffled.admittedTokens == table.admittedTokens && shuffled.uniqueTokens == table.uniqueTokens, "seed \(random.seed)")
        }
    }

    @Test func authorsWhomOnePrincipalClaimedAreOneVerifiedOwner() {
        var names = OwnerNames()
        names.claim("author_1", by: "pat", at: 10)
        names.claim("author_2", by: "pat", at: 20)
        names.claim("author_2", by: "eve", at: 21)
        names.vouch("pat", at: 30)
        names.prove("ann", at: 5)
        func earner(_ name: String, _ position: UInt64, rules: Int = 3) -> String { names.earner(name, before: position, rules: rules) }
        #expect(earner("author_1", 10) == "author_1" && earner("author_2", 20) == "author_2")
        #expect(earner("author_2", 21) == "author_1" && earner("author_2", 31) == "pat" && earner("author_1", 31) == "pat")
        #expect(earner("author_2", 99, rules: 2) == "author_2" && earner("pat", 21) == "pat")
        #expect(names.isVerified("author_1", before: 11, rules: 3) && !names.isVerified("author_1", before: 10, rules: 3))
        #expect(!names.isVerified("author_1", before: 99, rules: 2) && !names.isVerified("pat", before: 99, rules: 2))
        #expect(names.isVerified("pat", before: 31, rules: 3) && !names.isVerified("pat", before: 30, rules: 3))
        #expect(names.isVerified("ann", before: 6, rules: 1) && !names.isVerified("zoe", before: 99, rules: 3))
        #expect([10, 30, 31].map { names.lastChange(before: $0, rules: 3) } == [nil, 20, 30])
        #expect(names.names(of: "author_2", before: 99) == ["author_1", "author_2", "pat"])
        #expect(names.names(of: "author_2", before: 15) == ["author_2"] && names.names(of: "zoe", before: 99) == ["zoe"])
        let items = [Made(id: "a", owner: "author_1"), Made(id: "b", owner: "author_2"), Made(id: "c", owner: "pat")]
        #expect(table(items, names: names).items.admittedTokens == ["pat": 300])
        #expect(table(items, rules: 2, names: names).items.admittedTokens == ["author_1": 100, "author_2": 100, "pat": 100])
    }

    @Test func whatWasErasedTwiceWasGoneInBetween() {
        var withdrawals = Withdrawals()
        withdrawals.erase(owner: "ann", at: 10)
        withdrawals.erase(owner: "ann", at: 30)
        let item = AdmittedItem(
            item: "a", contribution: "c", owner: "ann", commitment: .zero, tokens: 1, licence: "CC0-1.0", language: "en", cluster: "a")
        #expect(!withdrawals.isGone(item, admitted: 5, before: 10) && withdrawals.isGone(item, admitted: 5, before: 11))
        #expect(withdrawals.isGone(item, admitted: 5, before: 20) && !withdrawals.isGone(item, admitted: 15, before: 20))
        #expect(withdrawals.isGone(item, admitted: 15, before: 31))
        #expect(withdrawals.last(before: 10) == nil && withdrawals.last(before: 30) == 10 && withdrawals.last == 30)
    }
}
