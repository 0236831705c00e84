import Crypto
import DatanetDomain
import Events
import Money
import JSON
import Testing

@Suite struct EventDataTests {
    private static let digest = SHA256.hash(utf8: "words")
    private static let time = Timestamp(microseconds: 1_800_000_000_000_000)

    private func isRead<Payload: EventData & Equatable>(_ payload: Payload) throws -> Bool {
        let bytes = try JSON.canonical(payload.json, allowFractions: false)
        #expect(EventCatalog.entry(of: Payload.type)?.owner == .datanet)
        return try Payload(JSON.parse(bytes).object()) == payload
    }

    @Test func everyEventOfADatanetReadsWhatItWrote() throws {
        let digest = Self.digest
        #expect(try isRead(DatanetCreated(datanet: "d", owner: "o", domain: "x", media: "text", policy: .usual)))
        #expect(try isRead(DatanetDescribed(datanet: "d", page: digest)))
        #expect(
            try isRead(ReviewOpened(review: "r", datanet: "d", contribution: "c", round: 2, appeals: "q", appellant: "a", reason: digest)))
        #expect(
            try isRead(
                ReviewDrawn(
                    review: "r", datanet: "d", size: 9, root: digest, candidates: ["a", "b"], panel: ["b"], quorum: 1, closes: Self.time)))
        #expect(try isRead(ReviewVoted(review: "r", datanet: "d", voter: "v", admit: false, reason: digest)))
        #expect(try isRead(ReviewClosed(review: "r", datanet: "d", outcome: "admitted", admit: 2, refuse: 1)))
        #expect(try isRead(ReviewTrapCommitted(trap: "t", datanet: "d", commitment: digest)))
        #expect(try isRead(ReviewTrapRevealed(trap: "t", datanet: "d", contribution: "c", review: "r", admit: true, salt: "s")))
        #expect(
            try isRead(
                ProposalOpened(
                    proposal: "p", datanet: "d", proposer: "o", policy: .reviewed, voting: "row", closes: Self.time, quorumPoints: 1,
                    timelockSeconds: 2, electorate: "170141183460469231731687303715884105727",
                    roll: .entries([VoterWeight(principal: "o", weight: "1")]))))
        #expect(try isRead(ProposalVoted(proposal: "p", datanet: "d", voter: "v", inFavour: true, weight: "3")))
        #expect(try isRead(ProposalClosed(proposal: "p", datanet: "d", outcome: "passed", inFavour: "1", against: "0", enacts: Self.time)))
        #expect(try isRead(AccessRequested(request: "r", datanet: "d", requester: "a", purpose: "read", reason: nil)))
        #expect(try isRead(AccessUsed(access: "a", datanet: "d", snapshot: "s", reader: "r", grant: nil, purpose: "train", items: 3)))
        #expect(try isRead(AccessUsed(access: "a", datanet: "d", review: "rv", reader: "r", purpose: "review", items: 3)))
        #expect(throws: (any Error).self) { try isRead(AccessUsed(access: "a", datanet: "d", reader: "r", purpose: "read", items: 3)) }
        let found = [FoundItem(item: "i", contribution: "c", owner: "o")]
        #expect(try isRead(AccessSearched(access: "a", datanet: "d", reader: "r", query: digest, items: [])))
        #expect(try isRead(AccessSearched(access: "a", datanet: "d", reader: "r", grant: "g", query: digest, items: found)))
        let price = Amount(5, try Asset("USDC/6")), shares = [AttributionShare(owner: "o", datanet: "d", share: 1_000_000_000)]
        var sold = AccessUsed(
            access: "a", datanet: "d", snapshot: "s", reader: "r", grant: "g", purpose: "read", items: 3, price: price, hold: "h",
            shares: .entries(shares))
        #expect(try isRead(sold))
        sold.hold = nil
        #expect(throws: (any Error).self) { try isRead(sold) }
        #expect(try isRead(ReviewTrapCommitted(trap: "t", datanet: "d", commitment: digest, tag: digest)))
        #expect(try isRead(ReviewOpened(review: "r", datanet: "d", contribution: "c", round: 1, candidates: ["v"])))
        #expect(
            try isRead(
                RulingMade(
                    ruling: "r", about: "review", subject: "x", upheld: true, penalties: [Penalty(principal: "v", points: 5)], pool: "d")))
    }

    /// What was written before a field was thought of is read for ever.
    @Test func olderPoliciesAndSnapshotsAreStillRead() throws {
        var policy = DatanetPolicy.usual
        policy.governance = nil
        #expect(policy.json["governance"] == nil)
        #expect(try DatanetPolicy(JSON.parse(JSON.write(policy.json)).object()) == policy)
        let snapshot = SnapshotPublished(
            datanet: "d", snapshot: "s", number: 1, root: Self.digest, manifest: Self.digest, items: 1, tokens: 2, owners: 1,
            list: Self.digest)
        #expect(snapshot.json["published"] == nil)
        #expect(try SnapshotPublished(snapshot.json.object()) == snapshot)
    }

    @Test func aListStandsInItsEventOnlyWhileTheEventHasRoomForIt() throws {
        func items(_ count: Int, name: String) -> [AdmittedItem] {
            (0..<count).map {
                AdmittedItem(
                    item: "\(name)\($0)", contribution: name, owner: name, commitment: Self.digest, tokens: 1, licence: "MIT",
                    language: "en",
                    cluster: name)
            }
        }
        let long = String(repeating: "x", count: 190)
        for (list, isInside) in [(items(3, name: "a"), true), (items(201, name: "a"), false), (items(120, name: long), false)] {
            let (form, evidence) = try EvidenceForm.of(list)
            #expect(form.count == list.count && (evidence == nil) == isInside)
            if let evidence {
                #expect(form == .evidence(SHA256.hash(evidence), count: list.count))
            } else {
                #expect(try JSON.canonical(form.json).count < 60_000)
            }
        }
    }
}
