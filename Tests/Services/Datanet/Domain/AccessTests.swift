import Crypto
import DatanetDomain
import Events
import Money
import Testing

@Suite struct AccessTests {
    private func setting() throws -> (Rehearsal, String, String) {
        var play = Rehearsal()
        var policy = DatanetPolicy.usual
        policy.price = Amount(5, try Asset("USDC/6"))
        let id = try play.create(policy)
        try play.screen("co_1", id, [.item("a")])
        try play.settle("co_1")
        let tree = try SnapshotTree(try play.live(id))
        let prepared = SnapshotRules.Prepared(
            revision: try play.state.datanet(id).revision, root: tree.root, list: .zero, manifest: .zero, published: play.time,
            statistics: SnapshotStatistics(tree.items))
        let snapshot = try play.act("olga") { try SnapshotRules.publish($0, id, prepared, $1) }.payload(SnapshotPublished.self).snapshot
        return (play, id, snapshot)
    }

    private func use(_ play: inout Rehearsal, _ snapshot: String, _ reader: String, _ purpose: String, service: Bool = false) throws
        -> AccessUsed
    {
        try play.act(reader) { try AccessRules.use($0, snapshot: snapshot, purpose: purpose, items: 1, isService: service, $1) }
            .payload(AccessUsed.self)
    }

    @Test func aGrantHoldsForItsPurposeAndItsTime() throws {
        var (play, id, snapshot) = try setting()
        #expect(refusal { _ = try use(&play, snapshot, "acme", "train") } == "no-grant")
        let request = try play.act("acme") { try AccessRules.request($0, id, purpose: "train", reason: nil, $1) }.payload(
            AccessRequested.self)
        #expect(request.requester == "acme")
        let end = Timestamp(microseconds: play.now + 60_000_000)
        let granted = try play.act("olga") { try AccessRules.grant($0, id, to: "acme", purpose: "train", price: nil, expires: end, $1) }
            .payload(AccessGranted.self)
        #expect(granted.price?.units == 5)
        let sale = AccessRules.Sale(price: Amount(5, try Asset("USDC/6")), hold: "hd_1", shares: .entries([]))
        let used = try play.act("acme") {
            try AccessRules.use($0, snapshot: snapshot, purpose: "train", items: 1, isService: false, sale: sale, $1)
        }
        #expect(try used.payload(AccessUsed.self).grant == granted.grant)
        #expect(refusal { _ = try use(&play, snapshot, "acme", "read") } == "no-grant")
        play.pass(seconds: 60)
        #expect(refusal { _ = try use(&play, snapshot, "acme", "train") } == "no-grant")
    }

    /// Where reading has a price nobody lets themselves in, and who was put out does not come back by themselves.
    @Test func nobodyBecomesAConsumerByThemselvesWhereThatWouldPassAPriceOrARevocation() throws {
        var (play, id, snapshot) = try setting()
        #expect(refusal { try play.join(id, "eve", .consumer, by: "eve") } == "not-allowed")
        try play.join(id, "eve", .contributor, by: "eve")
        #expect(refusal { _ = try use(&play, snapshot, "eve", "train") } == "no-grant")
        try play.join(id, "dora", .consumer)
        #expect(try use(&play, snapshot, "dora", "read").grant == nil)

        var free = Rehearsal()
        let open = try free.create(.usual)
        try free.join(open, "eve", .consumer, by: "eve")
        try free.act("eve") { try MembershipRules.revoke($0, open, from: "eve", role: "consumer", $1) }
        try free.join(open, "eve", .consumer, by: "eve")
        try free.act("olga") { try MembershipRules.revoke($0, open, from: "eve", role: "consumer", $1) }
        #expect(refusal { try free.join(open, "eve", .consumer, by: "eve") } == "not-allowed")
        try free.join(open, "eve", .consumer)
        #expect(free.state.datanets[open]?.readsByRole("eve") == true)
        // A price that comes later is asked of who came by themselves.
        try free.join(open, "fay", .consumer, by: "fay")
        var priced = DatanetPolicy.usual
        priced.price = Amount(5, try Asset("USDC/6"))
        try free.happen(DatanetPolicyChanged(datanet: open, policy: priced, proposal: nil))
        #expect(free.state.datanets[open]?.readsByRole("fay") == false && free.state.datanets[open]?.readsByRole("eve") == true)
    }

    @Test func aRevokedGrantIsNone() throws {
        var (play, id, snapshot) = try setting()
        let nothing = Amount.zero(try Asset("USDC/6"))
        let grant = try play.act("olga") { try AccessRules.grant($0, id, to: "acme", purpose: "read", price: nothing, expires: nil, $1) }
            .payload(AccessGranted.self).grant
        _ = try use(&play, snapshot, "acme", "read")
        #expect(refusal { try play.act("bob") { try AccessRules.revoke($0, grant, $1) } } == "not-allowed")
        try play.act("olga") { try AccessRules.revoke($0, grant, $1) }
        #expect(refusal { _ = try use(&play, snapshot, "acme", "read") } == "no-grant")
        #expect(refusal { try play.act("olga") { try AccessRules.revoke($0, grant, $1) } } == "revoked-already")
        #expect(refusal { try play.act("olga") { try AccessRules.revoke($0, "gr_none", $1) } } == "unknown-grant")
    }

    @Test func aReadingCostsItsGrantsPriceOnceADay() throws {
        var (play, id, snapshot) = try setting()
        try play.act("olga") { try AccessRules.grant($0, id, to: "acme", purpose: "read", price: nil, expires: nil, $1) }
        let (list, _) = try AccessRules.shares(try play.live(id), of: id)
        let sale = AccessRules.Sale(price: Amount(5, try Asset("USDC/6")), hold: "hd_1", shares: list)
        func due(_ purpose: String = "read", items: Int = 1) -> Int128? {
            AccessRules.due(
                play.state, snapshot: snapshot, of: "acme", purpose: purpose, items: items, at: Timestamp(microseconds: play.now))?.units
        }
        func read(_ sale: AccessRules.Sale?) throws -> AccessUsed {
            try play.act("acme") {
                try AccessRules.use($0, snapshot: snapshot, purpose: "read", items: 1, isService: false, sale: sale, $1)
            }
            .payload(AccessUsed.self)
        }
        #expect(due() == 5 && due("train") == nil && due(items: 0) == nil)
        let dearer = AccessRules.Sale(price: Amount(6, try Asset("USDC/6")), hold: "hd_1", shares: list)
        #expect(refusal { _ = try read(dearer) } == "stale")
        #expect(refusal { _ = try read(nil) } == "stale")
        let first = try read(sale)
        #expect(first.price?.units == 5 && first.hold == "hd_1" && first.shares == list)
        #expect(due() == nil)
        let again = try read(sale)
        #expect(again.price == nil && again.hold == nil && again.shares == nil && again.grant == first.grant)
        play.pass(seconds: 86_399)
        #expect(due() == nil)
        play.pass(seconds: 1)
        #expect(due() == 5)
        // Of several grants the cheapest counts.
        for price in [9, 3] as [Int128] {
            let amount = Amount(price, try Asset("USDC/6"))
            try play.act("olga") { try AccessRules.grant($0, id, to: "acme", purpose: "read", price: amount, expires: nil, $1) }
        }
        #expect(due() == 3)
        guard case .entries(let shares) = list else { return #expect(Bool(false), "a short list stands in the event") }
        #expect(shares.reduce(0) { $0 + $1.share } == 1_000_000_000 && shares.allSatisfy { $0.datanet == id })
    }

    @Test func officersConsumersAndServicesNeedNoGrant() throws {
        var (play, id, snapshot) = try setting()
        try play.join(id, "dora", .consumer)
        for reader in ["olga", "dora"] { #expect(try use(&play, snapshot, reader, "read").grant == nil) }
        #expect(try use(&play, snapshot, "training", "train", service: true).grant == nil)
        try play.act("olga") { try MembershipRules.revoke($0, id, from: "dora", role: "consumer", $1) }
        #expect(refusal { _ = try use(&play, snapshot, "dora", "read") } == "no-grant")
    }

    /// Who may read may search, and a search shows nothing that has been taken back.
    @Test func everySearchIsNotedWithWhatItShows() throws {
        var (play, id, _) = try setting()
        try play.screen("co_2", id, by: "bob", [.item("b", owner: "bob"), .item("c", owner: "bob")])
        try play.settle("co_2")
        let a = FoundItem(item: "a", contribution: "co_1", owner: "ann"), b = FoundItem(item: "b", contribution: "co_2", owner: "bob")
        let words = SHA256.hash(utf8: "words")
        func search(_ reader: String, _ found: [FoundItem]) throws -> AccessSearched {
            try play.act(reader) { try SearchRules.search($0, id, query: words, found: found, $1) }.payload(AccessSearched.self)
        }
        let officer = try search("olga", [b, a])
        #expect(officer.reader == "olga" && officer.items == [b, a] && officer.grant == nil && officer.query == words)
        #expect(try search("olga", []).items.isEmpty, "that nothing was found is known too")
        // Reading has a price: a contributor who came by themselves reads nothing by bits, a validator and who holds a grant do.
        try play.join(id, "eve", .contributor, by: "eve")
        #expect(refusal { _ = try search("eve", [a]) } == "not-allowed")
        try play.join(id, "val", .validator)
        #expect(try search("val", [a]).grant == nil)
        let grant = try play.act("olga") { try AccessRules.grant($0, id, to: "acme", purpose: "train", price: nil, expires: nil, $1) }
            .payload(AccessGranted.self).grant
        #expect(try search("acme", [a]).grant == grant)
        try play.act("olga") { try AccessRules.revoke($0, grant, $1) }
        #expect(refusal { _ = try search("acme", [a]) } == "not-allowed")
        #expect(refusal { _ = try search("olga", [a, a]) } == "too-many-items")
        let many = (0...SearchRules.mostItems).map { FoundItem(item: "i\($0)", contribution: "co_1", owner: "ann") }
        #expect(refusal { _ = try search("olga", many) } == "too-many-items")
        #expect(refusal { _ = try search("olga", [FoundItem(item: "x", contribution: "co_9", owner: "ann")]) } == "stale")
        try play.happen(ContributionWithdrawn(contribution: "co_2", contributor: "bob", items: ["b"]))
        #expect(refusal { _ = try search("olga", [b]) } == "stale")
        #expect(try search("olga", [a]).items == [a])
        let other = try play.create()
        #expect(refusal { _ = try play.act("olga") { try SearchRules.search($0, other, query: words, found: [a], $1) } } == "stale")
    }

    @Test func badTermsAreRefused() throws {
        var (play, id, _) = try setting()
        try play.join(id, "carl", .curator)
        let price = Amount(1, try Asset("USDC/6"))
        let past = Timestamp(microseconds: play.now)
        #expect(
            refusal { try play.act("carl") { try AccessRules.grant($0, id, to: "a", purpose: "read", price: price, expires: nil, $1) } }
                == "not-allowed")
        #expect(
            refusal { try play.act("olga") { try AccessRules.grant($0, id, to: "a", purpose: "read", price: nil, expires: past, $1) } }
                == "expired")
        #expect(
            refusal { try play.act("olga") { try AccessRules.grant($0, id, to: "a", purpose: "sell", price: nil, expires: nil, $1) } }
                == "bad-purpose")
        #expect(
            refusal { try play.act("acme") { try AccessRules.grant($0, id, to: "a", purpose: "read", price: nil, expires: nil, $1) } }
                == "not-allowed")
    }

    @Test func aDisputeIsRuledOnOnce() throws {
        var play = Rehearsal()
        func rule(_ play: inout Rehearsal, _ about: String, _ penalties: [Penalty], pool: String?) throws {
            try play.act("arbiter") {
                try RulingRules.make($0, about: about, subject: "dp_1", upheld: true, penalties: penalties, reason: nil, pool: pool, $1)
            }
        }
        #expect(refusal { try rule(&play, "review", [], pool: nil) } == "bad-subject")
        #expect(refusal { try rule(&play, "dispute", [Penalty(principal: "a", points: 1)], pool: nil) } == "bad-pool")
        #expect(refusal { try rule(&play, "dispute", [Penalty(principal: "a", points: 10_001)], pool: "p") } == "bad-penalty")
        try rule(&play, "dispute", [Penalty(principal: "a", points: 500)], pool: "p")
        #expect(refusal { try rule(&play, "dispute", [], pool: nil) } == "ruled-already")
    }
}
