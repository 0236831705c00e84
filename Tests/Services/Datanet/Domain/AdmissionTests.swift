import Crypto
import DatanetDomain
import Events
import JSON
import TestSupport
import Testing

@Suite struct AdmissionTests {
    @Test func eachItemComesInOrStaysOutForItsOwnReason() throws {
        var play = Rehearsal()
        let id = try play.create()
        try play.screen(
            "co_1", id,
            [
                .item("good"), .item("poor", quality: 499), .item("edge", quality: 500), .item("closed", licence: "GPL-3.0-only"),
                .item("odd", licence: "not a licence"), .item("double", verdict: "rejected"),
                .item("choice", licence: "GPL-3.0-only OR MIT"),
                .item("gone"),
            ])
        try play.happen(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["gone"]))
        let events = try play.settle("co_1")
        guard case .entries(let granted) = try events.payload(AdmissionGranted.self).items else {
            Issue.record("a short list stands in its event")
            return
        }
        #expect(granted.map(\.item) == ["good", "edge", "choice"])
        let refused = try events.filter { $0.type == AdmissionRefused.type }.map { try AdmissionRefused($0.data.object()) }
        #expect(
            Dictionary(uniqueKeysWithValues: refused.map { ($0.reason, $0.items) }) == [
                "licence-conflict": ["closed", "odd"], "low-quality": ["poor"], "withdrawn": ["gone"],
            ])
        #expect(play.state.contributions["co_1"]?.status == .admitted && play.state.pending.isEmpty)
        // Settled once.
        let again = try play.prepared("co_1")
        #expect(try play.act("datanet") { try AdmissionRules.settle($0, "co_1", again, $1) }.isEmpty)
    }

    /// What no version could hold does not come in: else nothing could be published ever again.
    @Test func aFullDatanetTakesNoMoreUntilAContributionIsTakenBackAsAWhole() throws {
        var play = Rehearsal()
        let id = try play.create()
        let most = SnapshotRules.maximumItems
        func fill(_ contribution: String, _ count: Int) throws {
            try play.screen(contribution, id, [.item("\(contribution)_1")])
            // As a long list stands in its event.
            let list = EvidenceList<AdmittedItem>.evidence(SHA256.hash(utf8: contribution), count: count)
            try play.happen(AdmissionGranted(datanet: id, contribution: contribution, items: list))
        }
        try fill("co_1", 100_000)
        try fill("co_2", most - 100_002)
        #expect(play.state.datanets[id]?.items == most - 2)
        try play.screen("co_3", id, [.item("a"), .item("b"), .item("c"), .item("poor", quality: 1), .item("d")])
        let events = try play.settle("co_3")
        #expect(try events.payload(AdmissionGranted.self).items.count == 2)
        let full = events.compactMap { try? AdmissionRefused($0.data.object()) }.first { $0.reason == "datanet-full" }
        #expect(full?.items == ["c", "d"])
        #expect(play.state.datanets[id]?.items == most)
        try SnapshotRules.check(play.state, id, items: most, by: "olga")
        try play.screen("co_4", id, [.item("e")])
        #expect(try play.settle("co_4").map { try AdmissionRefused($0.data.object()).reason } == ["datanet-full", "datanet-full"])
        // Told twice it makes room once; an item that is taken back by itself makes none.
        try play.happen(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["co_1_1"]))
        #expect(play.state.datanets[id]?.items == most)
        for _ in 0..<2 { try play.happen(ContributionWithdrawn(contribution: "co_2", contributor: "ann", items: [])) }
        try play.happen(ContentErased(owner: "ann", contribution: "co_2", items: [], receipt: SHA256.hash(utf8: "receipt")))
        #expect(play.state.datanets[id]?.items == 100_002)
        try play.screen("co_5", id, [.item("f")])
        #expect(try play.settle("co_5").payload(AdmissionGranted.self).items.count == 1)
        #expect(throws: DatanetRefusal.self) { try SnapshotRules.check(play.state, id, items: most + 1, by: "olga") }
    }

    @Test func aContributionForADatanetThatThereIsNotIsRefused() throws {
        var play = Rehearsal()
        try play.screen("co_1", "dn_foreign", [.item("a")])
        #expect(try play.settle("co_1").payload(AdmissionRefused.self).reason == "unknown-datanet")
        #expect(play.state.pending.isEmpty)
    }

    @Test func byInvitationOnlyMembersContribute() throws {
        var play = Rehearsal()
        var policy = DatanetPolicy.usual
        policy.access = "invitation"
        let id = try play.create(policy)
        try play.screen("co_1", id, by: "bob", [.item("a")])
        #expect(try play.settle("co_1").payload(AdmissionRefused.self).reason == "not-a-member")
        try play.join(id, "bob", .contributor)
        try play.screen("co_2", id, by: "bob", [.item("b")])
        #expect(try play.settle("co_2").payload(AdmissionGranted.self).contribution == "co_2")
    }

    @Test func aPlanOfAStateThatIsGoneIsStale() throws {
        var play = Rehearsal()
        let id = try play.create()
        try play.screen("co_1", id, [.item("a"), .item("b")])
        let prepared = try play.prepared("co_1")
        try play.happen(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["a"]))
        #expect(throws: DatanetRefusal.stale) { try play.act("datanet") { try AdmissionRules.settle($0, "co_1", prepared, $1) } }
    }

    @Test func nothingAcceptedIsSaidAndNotKeptWaiting() throws {
        var play = Rehearsal()
        let id = try play.create()
        try play.screen("co_1", id, [.item("a", verdict: "rejected")])
        #expect(try play.settle("co_1").payload(AdmissionRefused.self).reason == "nothing-accepted")
    }

    @Test func anErasedOwnersItemsGoAndLaterOnesStay() throws {
        var play = Rehearsal()
        let id = try play.create()
        try play.screen("co_1", id, by: "club", [.item("a", owner: "ann"), .item("b", owner: "bob")])
        try play.settle("co_1")
        try play.happen(ContentErased(owner: "ann", items: [], receipt: SHA256.hash(utf8: "receipt")))
        #expect(try play.live(id).map(\.item) == ["b"])
        try play.screen("co_2", id, [.item("c", owner: "ann")])
        try play.settle("co_2")
        #expect(Set(try play.live(id).map(\.item)) == ["b", "c"])
        try play.happen(ContentErased(owner: "bob", contribution: "co_1", items: [], receipt: SHA256.hash(utf8: "receipt")))
        #expect(try play.live(id).map(\.item) == ["c"])
    }

    /// Between own events and those of others the order may differ from the log's by a moment.
    @Test func theStateDoesNotHangOnWhichOfTwoServicesIsHeardFirst() throws {
        var random = Seed.generator()
        for _ in 0..<40 {
            var play = Rehearsal()
            let id = try play.create()
            for number in 0..<6 {
                try play.screen(
                    "co_\(number)", id,
                    (0..<4).map { .item("i\(number)_\($0)", owner: ["ann", "bob"].randomElement(using: &random) ?? "ann") })
            }
            var own: [Occurrence] = []
            let before = play.state
            for number in 0..<6 { try play.settle("co_\(number)") }
            own = Array(play.events.suffix(6))
            let mark = play.events.count
            try play.happen(
                ContributionWithdrawn(contribution: "co_\(Int.random(in: 0..<6, using: &random))", contributor: "ann", items: []))
            try play.happen(
                ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["i1_\(Int.random(in: 0..<4, using: &random))"]))
            try play.happen(ContentErased(owner: "bob", items: [], receipt: SHA256.hash(utf8: "r")))
            let others = Array(play.events[mark...])
            // Each side in its own order, mixed at random.
            var mixed = before
            var (left, right) = (own[...], others[...])
            while !left.isEmpty || !right.isEmpty {
                let takesOwn = right.isEmpty || !left.isEmpty && Bool.random(using: &random)
                if let event = takesOwn ? left.popFirst() : right.popFirst() { try mixed.apply(event) }
            }
            var replay = play
            replay.state = mixed
            #expect(try Set(replay.live(id)) == Set(play.live(id)), "seed \(random.seed)")
            #expect(mixed.datanets[id]?.revision == play.state.datanets[id]?.revision)
        }
    }
}
