import DatanetDomain
import Events
import Money
import TestSupport
import Testing

@Suite struct VotingTests {
    private func propose(_ play: inout Rehearsal, _ id: String, by actor: String = "olga", rows: [String: Int] = [:], quality: Int = 700)
        throws
        -> String
    {
        var policy = try play.state.datanet(id).policy
        policy.minimumQuality = quality
        let roll = try ProposalRules.roll(play.state, id, rows: rows)
        let revision = try play.state.datanet(id).revision
        let changed = policy
        return try play.act(actor) {
            try ProposalRules.open($0, id, policy: changed, roll: roll, list: .entries(roll), rows: rows, revision: revision, $1)
        }.payload(ProposalOpened.self).proposal
    }

    private func vote(_ play: inout Rehearsal, _ proposal: String, _ voter: String, _ way: Bool) throws {
        guard case .entries(let roll)? = play.state.proposals[proposal]?.opened.roll else { throw Rehearsal.Unprepared() }
        let weight = roll.first { $0.principal == voter }?.weight
        try play.act(voter) { try ProposalRules.vote($0, proposal, inFavour: way, weight: weight, $1) }
    }

    private func setting() throws -> (Rehearsal, String) {
        var play = Rehearsal()
        let id = try play.create()
        try play.join(id, "carl", .curator)
        try play.join(id, "vera", .validator)
        try play.join(id, "dora", .consumer)
        return (play, id)
    }

    @Test func rulesChangeAfterAVoteAndItsTimeLockAndNotBefore() throws {
        var (play, id) = try setting()
        let proposal = try propose(&play, id)
        try vote(&play, proposal, "olga", true)
        try vote(&play, proposal, "carl", true)
        #expect(try play.act("datanet") { try ProposalRules.close($0, proposal, $1) }.isEmpty)
        play.pass(seconds: 100)
        #expect(refusal { try vote(&play, proposal, "vera", false) } == "voting-is-over")
        let closed = try play.act("datanet") { try ProposalRules.close($0, proposal, $1) }.payload(ProposalClosed.self)
        #expect(closed.outcome == "passed" && closed.inFavour == "2" && closed.against == "0")
        #expect(try play.act("datanet") { try ProposalRules.close($0, proposal, $1) }.isEmpty)
        #expect(try play.act("datanet") { try ProposalRules.enact($0, proposal, $1) }.isEmpty)
        #expect(try play.state.datanet(id).policy.minimumQuality == 500)
        play.pass(seconds: 50)
        try play.act("datanet") { try ProposalRules.enact($0, proposal, $1) }
        #expect(try play.state.datanet(id).policy.minimumQuality == 700)
        #expect(try play.act("datanet") { try ProposalRules.enact($0, proposal, $1) }.isEmpty && play.state.openProposals.isEmpty)
    }

    @Test func aVoteCountsOnceAndOnlyFromTheRollOfTheOpening() throws {
        var (play, id) = try setting()
        let proposal = try propose(&play, id)
        try vote(&play, proposal, "olga", true)
        #expect(refusal { try vote(&play, proposal, "olga", false) } == "voted-already")
        #expect(refusal { try vote(&play, proposal, "dora", true) } == "not-allowed")
        // Friends who are let in while a vote runs have no voice in it.
        try play.join(id, "friend", .curator)
        #expect(refusal { try vote(&play, proposal, "friend", true) } == "not-allowed")
        #expect(
            refusal { try play.act("olga") { try ProposalRules.vote($0, "pr_none", inFavour: true, weight: "1", $1) } }
                == "unknown-proposal")
    }

    @Test func withoutTheQuorumNothingChangesAndATieRejects() throws {
        var (play, id) = try setting()
        let lonely = try propose(&play, id)
        try vote(&play, lonely, "olga", true)
        let tied = try propose(&play, id)
        try vote(&play, tied, "olga", true)
        try vote(&play, tied, "vera", false)
        play.pass(seconds: 100)
        #expect(try play.act("datanet") { try ProposalRules.close($0, lonely, $1) }.payload(ProposalClosed.self).outcome == "no-quorum")
        #expect(try play.act("datanet") { try ProposalRules.close($0, tied, $1) }.payload(ProposalClosed.self).outcome == "rejected")
    }

    @Test func whenEverybodyHasVotedNobodyWaits() throws {
        var (play, id) = try setting()
        let proposal = try propose(&play, id)
        for voter in ["olga", "carl", "vera"] { try vote(&play, proposal, voter, true) }
        #expect(try play.act("datanet") { try ProposalRules.close($0, proposal, $1) }.payload(ProposalClosed.self).outcome == "passed")
    }

    @Test func votesAreWeighedByRowsOrStakesWhereTheDatanetSaysSo() throws {
        var play = Rehearsal()
        var policy = DatanetPolicy.usual
        policy.voting = "row"
        let id = try play.create(policy)
        try play.screen("co_1", id, (0..<5).map { .item("a\($0)", owner: $0 < 4 ? "ann" : "bob") })
        try play.settle("co_1")
        var rows: [String: Int] = [:]
        for item in try play.live(id) { rows[item.owner, default: 0] += 1 }
        #expect(
            try ProposalRules.roll(play.state, id, rows: rows) == [
                VoterWeight(principal: "ann", weight: "4"), VoterWeight(principal: "bob", weight: "1"),
            ])
        // Who has claimed the account of an author votes with the author's rows too.
        try play.happen(
            ContributorClaimed(claim: "cl_1", author: "bob", principal: "ann", datanet: id, proof: "mail"))
        #expect(try ProposalRules.roll(play.state, id, rows: rows) == [VoterWeight(principal: "ann", weight: "5")])
        let roll = try ProposalRules.roll(play.state, id, rows: rows)
        var changed = policy
        changed.voting = "stake"
        changed.stake = Amount(1, try Asset("USDC/6"))
        let next = changed
        // Rows counted before an item was taken back do not count.
        let revision = try play.state.datanet(id).revision
        try play.happen(ContributionWithdrawn(contribution: "co_1", contributor: "ann", items: ["a0"]))
        #expect(throws: DatanetRefusal.stale) {
            try play.act("ann") {
                try ProposalRules.open($0, id, policy: next, roll: roll, list: .entries(roll), rows: rows, revision: revision, $1)
            }
        }
        var staked = Rehearsal()
        let other = try staked.create(changed)
        try staked.join(other, "vera", .validator)
        try staked.happen(Stake(pool: other, account: "validator:vera", amount: 70))
        try staked.happen(Stake(pool: other, account: "validator:stranger", amount: 900))
        #expect(try ProposalRules.roll(staked.state, other, rows: [:]) == [VoterWeight(principal: "vera", weight: "70")])
    }

    @Test func theQuorumIsRoundedUpAndNeverOverflows() throws {
        var random = Seed.generator()
        for _ in 0..<2_000 {
            let points = Int.random(in: 0...10_000, using: &random)
            let electorate = Int128(Int64.random(in: 1...1_000_000_000, using: &random))
            let needed = ProposalRules.quorum(of: electorate, points: points)
            #expect(needed * 10_000 >= electorate * Int128(points) && (needed - 1) * 10_000 < electorate * Int128(points))
        }
        #expect(ProposalRules.quorum(of: .max, points: 10_000) == .max)
    }
}
