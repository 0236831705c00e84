public import Events
internal import Money

/// How a Datanet's rules are changed: by proposal and vote, never otherwise.
public enum ProposalRules {
    /// Most voters of one roll.
    public static let maximumVoters = 100_000

    /// Who may vote, with how much, in the order of their bytes. Fixed when a proposal is opened, so that nobody buys votes or lets
    /// friends in while a vote runs.
    /// - Parameter rows: rows in the Datanet now, by owner; used where a row is a vote.
    public static func roll(_ state: DatanetState, _ id: String, rows: [String: Int]) throws(DatanetRefusal) -> [VoterWeight] {
        let datanet = try state.datanet(id)
        var weights: [String: Int128] = [:]
        switch datanet.policy.voting {
        case "stake":
            let asset = datanet.policy.stake?.asset.text ?? ""
            for principal in datanet.members.keys { weights[principal] = state.stake(of: principal, in: id, asset: asset) }
        case "row":
            for (owner, count) in rows {
                let voter = state.authors[owner] ?? owner
                // Nobody can vote for an author whom nobody knows: such rows would only make every quorum harder to reach.
                if voter.hasPrefix("author_") { continue }
                if !datanet.barred.contains(voter) { weights[voter, default: 0] += Int128(count) }
            }
        default: for (principal, roles) in datanet.members { weights[principal] = Int128(roles.count { $0.hasVote }) }
        }
        return weights.filter { $0.value > 0 }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
            VoterWeight(principal: $0.key, weight: String($0.value))
        }
    }

    /// Asks the members.
    /// - Parameters:
    ///   - roll: as ``roll(_:_:rows:)`` gave it on a state of this revision.
    ///   - revision: the Datanet's, when its rows were counted.
    public static func open(
        _ state: DatanetState, _ id: String, policy: DatanetPolicy, roll: [VoterWeight], list: EvidenceList<VoterWeight>,
        rows: [String: Int], revision: Int, _ moment: Moment
    ) throws -> [Decided] {
        let datanet = try state.datanet(id)
        try PolicyRules.check(policy)
        guard datanet.policy.voting != "row" || datanet.revision == revision, try self.roll(state, id, rows: rows) == roll else {
            throw DatanetRefusal.stale
        }
        guard !roll.isEmpty, roll.count <= maximumVoters else {
            throw DatanetRefusal(.unprocessable, "no-electorate", "a vote needs 1 to \(maximumVoters) voters, there are \(roll.count)")
        }
        guard datanet.has(moment.actor, [.owner, .curator]) || roll.contains(where: { $0.principal == moment.actor }) else {
            throw DatanetRefusal.notAllowed("members with a vote propose changes")
        }
        guard policy != datanet.policy else { throw DatanetRefusal(.unprocessable, "no-change", "the policy is this already") }
        let terms = datanet.governance
        let proposal = moment.newID("pr", 0)
        var electorate: Int128 = 0
        for voter in roll { electorate += Int128(voter.weight) ?? 0 }
        return [
            try Decided(
                ProposalOpened(
                    proposal: proposal, datanet: id, proposer: moment.actor, policy: policy, voting: datanet.policy.voting,
                    closes: moment.time.adding(seconds: terms.votingSeconds), quorumPoints: terms.quorumPoints,
                    timelockSeconds: terms.timelockSeconds, electorate: String(electorate), roll: list), "proposal", proposal)
        ]
    }

    /// Votes.
    /// - Parameter weight: the voter's in the proposal's roll; nil when it is not in it.
    public static func vote(_ state: DatanetState, _ id: String, inFavour: Bool, weight: String?, _ moment: Moment) throws -> [Decided] {
        guard let proposal = state.proposals[id] else { throw DatanetRefusal.unknown("proposal", id) }
        guard proposal.closed == nil, moment.logTime < proposal.opened.closes else {
            throw DatanetRefusal(.conflict, "voting-is-over", "votes on \(id) came until \(proposal.opened.closes)")
        }
        guard proposal.votes[moment.actor] == nil else {
            throw DatanetRefusal(.conflict, "voted-already", "\(moment.actor) has voted on \(id)")
        }
        guard let weight else { throw DatanetRefusal.notAllowed("\(moment.actor) is not on the roll of \(id)") }
        return [
            try Decided(
                ProposalVoted(proposal: id, datanet: proposal.opened.datanet, voter: moment.actor, inFavour: inFavour, weight: weight),
                "proposal", id)
        ]
    }

    /// Counts the votes when voting is over; nothing before. It passes with the quorum and more votes for it than against it.
    public static func close(_ state: DatanetState, _ id: String, _ moment: Moment) throws -> [Decided] {
        guard let proposal = state.proposals[id], proposal.isOver(at: moment.logTime) else { return [] }
        let cast = proposal.inFavour + proposal.against
        let hasQuorum = cast > 0 && cast >= quorum(of: proposal.electorate, points: proposal.opened.quorumPoints)
        let outcome = !hasQuorum ? "no-quorum" : proposal.inFavour > proposal.against ? "passed" : "rejected"
        return [
            try Decided(
                ProposalClosed(
                    proposal: id, datanet: proposal.opened.datanet, outcome: outcome, inFavour: String(proposal.inFavour),
                    against: String(proposal.against),
                    enacts: outcome == "passed" ? moment.time.adding(seconds: proposal.opened.timelockSeconds) : nil), "proposal", id)
        ]
    }

    /// The least votes that make the quorum: points ten-thousandths of the electorate, rounded up. Divided first, so that no
    /// electorate of 128 bits overflows.
    public static func quorum(of electorate: Int128, points: Int) -> Int128 {
        let (whole, rest) = electorate.quotientAndRemainder(dividingBy: 10_000)
        return whole * Int128(points) + (rest * Int128(points) + 9_999) / 10_000
    }

    /// Changes the rules when a passed proposal's time-lock has run out; nothing before.
    public static func enact(_ state: DatanetState, _ id: String, _ moment: Moment) throws -> [Decided] {
        guard let proposal = state.proposals[id], proposal.isDue(at: moment.logTime) else { return [] }
        let opened = proposal.opened
        return [
            try Decided(DatanetPolicyChanged(datanet: opened.datanet, policy: opened.policy, proposal: id), "datanet", opened.datanet)
        ]
    }
}
