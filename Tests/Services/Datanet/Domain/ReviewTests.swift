import Crypto
import DatanetDomain
import Events
import JSON
import Money
import TestSupport
import Testing

@Suite struct ReviewTests {
    private static let root = SHA256.hash(utf8: "a root")

    private struct Setting {
        var play = Rehearsal()
        var id = ""
        var review = ""
    }

    /// A reviewed Datanet with so many validators, and a contribution before a panel.
    private func setting(_ policy: DatanetPolicy = .reviewed, validators: Int = 6) throws -> Setting {
        var setting = Setting()
        setting.id = try setting.play.create(policy)
        for number in 0..<validators { try setting.play.join(setting.id, "v\(number)", .validator) }
        try setting.play.screen("co_1", setting.id, [.item("a"), .item("b", quality: 1), .item("c", licence: "GPL-3.0-only")])
        setting.review = try setting.play.settle("co_1").payload(ReviewOpened.self).review
        return setting
    }

    private func draw(_ setting: inout Setting, _ review: String? = nil, owners: Set<String> = ["ann"]) throws -> [Decided] {
        let name = review ?? setting.review
        return try setting.play.act("datanet") { try ReviewRules.draw($0, name, size: 7, root: Self.root, owners: owners, $1) }
    }

    private func vote(_ setting: inout Setting, _ voter: String, _ admit: Bool, _ review: String? = nil) throws {
        let name = review ?? setting.review
        try setting.play.act(voter) { try ReviewRules.vote($0, name, admit: admit, reason: SHA256.hash(utf8: "because"), $1) }
    }

    private func close(_ setting: inout Setting, _ review: String? = nil) throws -> [Decided] {
        let name = review ?? setting.review
        let prepared = try setting.play.prepared("co_1", judgingQuality: false)
        return try setting.play.act("datanet") { try ReviewRules.close($0, name, prepared, $1) }
    }

    @Test func theDrawCanBeRepeatedAndLeavesOutWhoHasAPart() throws {
        var setting = try setting()
        try setting.play.join(setting.id, "ann", .validator)
        let drawn = try draw(&setting).payload(ReviewDrawn.self)
        #expect(drawn.candidates == ["v0", "v1", "v2", "v3", "v4", "v5"] && drawn.panel.count == 3 && drawn.quorum == 2)
        #expect(PanelDraw.panel(root: drawn.root, review: drawn.review, candidates: drawn.candidates.shuffled(), seats: 3) == drawn.panel)
        #expect(try draw(&setting).isEmpty)
    }

    @Test func everyCandidateHasTheSameChance() {
        // 3 of 10 drawn 5,000 times: 1,500 each expected, standard deviation 32; five of them are allowed.
        var seats: [String: Int] = [:]
        for number in 0..<5_000 {
            let root = SHA256.hash(utf8: "root \(number)")
            for member in PanelDraw.panel(root: root, review: "rv", candidates: (0..<10).map { "c\($0)" }, seats: 3) {
                seats[member, default: 0] += 1
            }
        }
        #expect(seats.count == 10 && seats.values.allSatisfy { abs($0 - 1_500) < 162 }, "\(seats)")
    }

    @Test func aQuorumAdmitsAndThePanelJudgesQualityButNotLicences() throws {
        var setting = try setting()
        let panel = try draw(&setting).payload(ReviewDrawn.self).panel
        try vote(&setting, panel[0], true)
        #expect(try close(&setting).isEmpty)
        try vote(&setting, panel[1], true)
        let events = try close(&setting)
        #expect(try events.payload(ReviewClosed.self).outcome == "admitted")
        #expect(Set(try setting.play.live(setting.id).map(\.item)) == ["a", "b"])
        #expect(try events.payload(AdmissionRefused.self).reason == "licence-conflict")
        #expect(try close(&setting).isEmpty)
        #expect(refusal { try vote(&setting, panel[2], false) } == "voting-is-over")
    }

    @Test func votesAreForThePanelOnceAndInTime() throws {
        var setting = try setting()
        #expect(refusal { try vote(&setting, "v0", true) } == "not-allowed")
        let drawn = try draw(&setting).payload(ReviewDrawn.self)
        let outsider = try #require(drawn.candidates.first { !drawn.panel.contains($0) })
        #expect(refusal { try vote(&setting, outsider, true) } == "not-allowed")
        try vote(&setting, drawn.panel[0], true)
        #expect(refusal { try vote(&setting, drawn.panel[0], false) } == "voted-already")
        // A member of the panel who loses the role has no vote.
        try setting.play.act("olga") { try MembershipRules.revoke($0, setting.id, from: drawn.panel[1], role: "validator", $1) }
        #expect(refusal { try vote(&setting, drawn.panel[1], true) } == "not-allowed")
        setting.play.pass(seconds: 100)
        #expect(refusal { try vote(&setting, drawn.panel[2], true) } == "voting-is-over")
        let events = try close(&setting)
        #expect(try events.payload(ReviewClosed.self).outcome == "undecided")
        #expect(try events.payload(AdmissionRefused.self).reason == "no-quorum")
        #expect(refusal { try vote(&setting, "v0", true, "rv_none") } == "unknown-review")
    }

    @Test func withoutEnoughStakedValidatorsThereIsNoPanel() throws {
        var policy = DatanetPolicy.reviewed
        policy.stake = Amount(100, try Asset("USDC/6"))
        var setting = try setting(policy)
        try setting.play.happen(Stake(pool: setting.id, account: "validator:v0", amount: 100))
        try setting.play.happen(Stake(pool: setting.id, account: "validator:v1", amount: 99))
        // What no ruling could take does not count.
        try setting.play.happen(Stake(pool: setting.id, account: "contributor:v1", amount: 500))
        let events = try draw(&setting)
        #expect(try events.payload(ReviewClosed.self).outcome == "unstaffed")
        #expect(try events.payload(AdmissionRefused.self).reason == "no-panel")
        // Once there are enough, it is reopened and drawn anew.
        for name in ["v1", "v2", "v3"] { try setting.play.happen(Stake(pool: setting.id, account: "validator:\(name)", amount: 500)) }
        #expect(refusal { try setting.play.act("ann") { try AdmissionRules.reopen($0, "co_1", $1) } } == "not-allowed")
        let again = try setting.play.act("olga") { try AdmissionRules.reopen($0, "co_1", $1) }.payload(ReviewOpened.self).review
        #expect(try draw(&setting, again).payload(ReviewDrawn.self).candidates == ["v0", "v1", "v2", "v3"])
    }

    @Test func anAppealThatIsUpheldAdmitsAndCostsWhoVotedOtherwise() throws {
        var setting = try setting()
        let panel = try draw(&setting).payload(ReviewDrawn.self).panel
        #expect(refusal { try appeal(&setting, "ann") } == "not-decided")
        try vote(&setting, panel[0], false)
        try vote(&setting, panel[1], true)
        try vote(&setting, panel[2], false)
        #expect(try close(&setting).payload(AdmissionRefused.self).reason == "panel")
        #expect(refusal { try appeal(&setting, "bob") } == "not-allowed")
        let second = try appeal(&setting, "ann").payload(ReviewOpened.self)
        #expect(second.round == 2 && second.appeals == setting.review && second.appellant == "ann")
        #expect(refusal { try appeal(&setting, "olga") } == "appealed-already")
        let fresh = try draw(&setting, second.review).payload(ReviewDrawn.self).panel
        #expect(Set(fresh).isDisjoint(with: panel))
        try vote(&setting, fresh[0], true, second.review)
        try vote(&setting, fresh[1], true, second.review)
        let ruling = try close(&setting, second.review).payload(RulingMade.self)
        #expect(ruling.upheld && ruling.pool == setting.id)
        #expect(ruling.penalties == [Penalty(principal: panel[0], points: 1_000), Penalty(principal: panel[2], points: 1_000)])
        #expect(Set(try setting.play.live(setting.id).map(\.item)) == ["a", "b"])
    }

    @Test func anAppealAgainstAdmissionTakesTheItemsOutAgain() throws {
        var setting = try setting()
        let panel = try draw(&setting).payload(ReviewDrawn.self).panel
        for member in panel.prefix(2) { try vote(&setting, member, true) }
        _ = try close(&setting)
        let second = try appeal(&setting, "olga").payload(ReviewOpened.self).review
        let fresh = try draw(&setting, second).payload(ReviewDrawn.self).panel
        for member in fresh.prefix(2) { try vote(&setting, member, false, second) }
        let ruling = try close(&setting, second).payload(RulingMade.self)
        #expect(ruling.upheld && Set(ruling.penalties.map(\.principal)) == Set(panel.prefix(2)))
        #expect(try setting.play.live(setting.id).isEmpty)
    }

    @Test func anAppealThatChangesNothingCostsNobodyAndComesInTime() throws {
        var setting = try setting()
        let panel = try draw(&setting).payload(ReviewDrawn.self).panel
        for member in panel.prefix(2) { try vote(&setting, member, false) }
        _ = try close(&setting)
        var late = setting
        late.play.pass(seconds: 1_001)
        #expect(refusal { try appeal(&late, "ann") } == "appeal-too-late")
        let second = try appeal(&setting, "ann").payload(ReviewOpened.self).review
        let fresh = try draw(&setting, second).payload(ReviewDrawn.self).panel
        for member in fresh.prefix(2) { try vote(&setting, member, false, second) }
        let ruling = try close(&setting, second).payload(RulingMade.self)
        #expect(!ruling.upheld && ruling.penalties.isEmpty && ruling.pool == nil)
    }

    @Test func aTrapMeasuresThePanelAndCanNotBeSetAfterwards() throws {
        var setting = Setting()
        setting.id = try setting.play.create(.reviewed)
        for number in 0..<3 { try setting.play.join(setting.id, "v\(number)", .validator) }
        let salt = "sixteen bytes at least"
        let commitment = TrapCommitment.make(contribution: "co_1", admit: false, salt: salt)
        let id = setting.id
        #expect(
            refusal { try setting.play.act("ann") { try AppealRules.setTrap($0, id, commitment: commitment, tag: nil, $1) } }
                == "not-allowed")
        let trap = try setting.play.act("olga") { try AppealRules.setTrap($0, id, commitment: commitment, tag: nil, $1) }.payload(
            ReviewTrapCommitted.self
        ).trap
        try setting.play.screen("co_1", id, [.item("bait")])
        setting.review = try setting.play.settle("co_1").payload(ReviewOpened.self).review
        let late = try setting.play.act("olga") { try AppealRules.setTrap($0, id, commitment: commitment, tag: nil, $1) }.payload(
            ReviewTrapCommitted.self
        ).trap
        _ = try draw(&setting)
        try vote(&setting, "v0", true)
        try vote(&setting, "v1", false)
        #expect(refusal { try reveal(&setting, trap, admit: false, salt) } == "review-not-over")
        try vote(&setting, "v2", true)
        _ = try close(&setting)
        #expect(refusal { try reveal(&setting, late, admit: false, salt) } == "no-such-review")
        #expect(refusal { try reveal(&setting, trap, admit: true, salt) } == "wrong-opening")
        #expect(refusal { try reveal(&setting, trap, admit: false, salt, by: "v0") } == "not-allowed")
        let ruling = try reveal(&setting, trap, admit: false, salt).payload(RulingMade.self)
        #expect(Set(ruling.penalties.map(\.principal)) == ["v0", "v2"])
        #expect(try setting.play.live(id).isEmpty)
        #expect(refusal { try reveal(&setting, trap, admit: false, salt) } == "revealed-already")
    }

    /// Who could commit to both verdicts on one contribution would reveal whichever hurts.
    @Test func thereIsOneTrapOnAContribution() throws {
        var setting = Setting()
        setting.id = try setting.play.create(.reviewed)
        let id = setting.id
        for number in 0..<3 { try setting.play.join(id, "v\(number)", .validator) }
        let salt = "sixteen bytes at least"
        func set(_ admit: Bool, _ tag: Digest?, by actor: String = "olga") throws -> String {
            let commitment = TrapCommitment.make(contribution: "co_1", admit: admit, salt: salt)
            return try setting.play.act(actor) { try AppealRules.setTrap($0, id, commitment: commitment, tag: tag, $1) }.payload(
                ReviewTrapCommitted.self
            ).trap
        }
        let tag = SHA256.hash(utf8: "the contribution's")
        let first = try set(true, tag)
        #expect(refusal { _ = try set(false, tag) } == "trap-there-already")
        try setting.play.join(id, "cora", .curator)
        #expect(refusal { _ = try set(false, tag, by: "cora") } == "trap-there-already")
        // Another one's tag does not open it, and early traps without one measure a review once.
        let (third, fourth) = (try set(false, nil), try set(true, nil))
        try setting.play.screen("co_1", id, [.item("bait")])
        setting.review = try setting.play.settle("co_1").payload(ReviewOpened.self).review
        _ = try draw(&setting)
        for name in ["v0", "v1"] { try vote(&setting, name, false) }
        _ = try close(&setting)
        #expect(refusal { try reveal(&setting, first, admit: true, salt, tag: .zero) } == "wrong-opening")
        #expect(try reveal(&setting, first, admit: true, salt, tag: tag).payload(RulingMade.self).penalties.count == 2)
        #expect(refusal { try reveal(&setting, third, admit: false, salt) } == "measured-already")
        #expect(refusal { try reveal(&setting, fourth, admit: true, salt) } == "measured-already")
    }

    /// Roles and stakes that come or go once the seed is known change nothing in the draw.
    @Test func thePanelIsDrawnAmongWhoWasAValidatorAsTheReviewWasOpened() throws {
        var policy = DatanetPolicy.reviewed
        policy.stake = Amount(100, try Asset("USDC/6"))
        var setting = Setting()
        setting.id = try setting.play.create(policy)
        let id = setting.id
        for number in 0..<5 { try setting.play.join(id, "v\(number)", .validator) }
        for number in 0..<4 { try setting.play.happen(Stake(pool: setting.id, account: "validator:v\(number)", amount: 100)) }
        try setting.play.screen("co_1", setting.id, [.item("a")])
        let opened = try setting.play.settle("co_1").payload(ReviewOpened.self)
        #expect(opened.candidates == ["v0", "v1", "v2", "v3"])
        setting.review = opened.review
        try setting.play.join(setting.id, "late", .validator)
        for name in ["late", "v4"] { try setting.play.happen(Stake(pool: setting.id, account: "validator:\(name)", amount: 900)) }
        try setting.play.act("olga") { try MembershipRules.revoke($0, id, from: "v3", role: "validator", $1) }
        #expect(try draw(&setting).payload(ReviewDrawn.self).candidates == ["v0", "v1", "v2", "v3"])
    }

    /// A panel reads what it decides on, while it decides, and nobody else does.
    @Test func thePanelReadsWhatItDecidesOnWhileTheReviewIsOpen() throws {
        var setting = try setting()
        let review = setting.review
        func read(_ reader: String) throws -> AccessUsed {
            try setting.play.act(reader) { try AccessRules.review($0, review, items: 2, $1) }.payload(AccessUsed.self)
        }
        #expect(refusal { _ = try read("v0") } == "not-allowed", "nobody has been drawn")
        let drawn = try draw(&setting).payload(ReviewDrawn.self)
        let outsider = try #require(drawn.candidates.first { !drawn.panel.contains($0) })
        for name in [outsider, "olga", "ann"] { #expect(refusal { _ = try read(name) } == "not-allowed") }
        let used = try read(drawn.panel[0])
        #expect(used.review == setting.review && used.snapshot == nil && used.purpose == "review" && used.items == 2)
        var late = setting
        late.play.pass(seconds: 100)
        #expect(refusal { try late.play.act(drawn.panel[1]) { try AccessRules.review($0, review, items: 2, $1) } } == "voting-is-over")
        for member in drawn.panel.prefix(2) { try vote(&setting, member, true) }
        _ = try close(&setting)
        #expect(refusal { _ = try read(drawn.panel[0]) } == "voting-is-over")
    }

    @discardableResult
    private func appeal(_ setting: inout Setting, _ actor: String) throws -> [Decided] {
        try setting.play.act(actor) { try AppealRules.appeal($0, "co_1", reason: SHA256.hash(utf8: "unfair"), $1) }
    }

    @discardableResult
    private func reveal(
        _ setting: inout Setting, _ trap: String, admit: Bool, _ salt: String, by actor: String = "olga", tag: Digest? = nil
    ) throws -> [Decided] {
        try setting.play.act(actor) { try AppealRules.reveal($0, trap, contribution: "co_1", admit: admit, salt: salt, tag: tag, $1) }
    }
}

/// As much of `stake.bonded` as this service reads.
struct Stake: EventData {
    static let type = "stake.bonded"
    var pool: String
    var account: String
    var amount: Int

    init(pool: String, account: String, amount: Int) {
        self.pool = pool
        self.account = account
        self.amount = amount
    }

    init(_ fields: JSONFields) throws(JSONFieldError) {
        pool = try fields.id("pool")
        account = try fields.id("account")
        amount = 0
    }

    var json: JSONValue {
        ["pool": .string(pool), "account": .string(account), "amount": ["asset": "USDC/6", "amount": .string(String(amount))]]
    }
}
