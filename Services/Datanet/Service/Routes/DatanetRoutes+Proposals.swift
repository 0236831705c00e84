internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Changing the rules, by vote.
extension DatanetRoutes {
    var proposalRoutes: [Route] { [propose, proposals, proposal, vote] }

    private struct Roll: Sendable {
        var rows: [String: Int]
        var revision: Int
        var voters: [VoterWeight]
        var list: EvidenceList<VoterWeight>
    }

    private var propose: Route {
        command(
            "/v1/datanets/{id}/proposals", operation: "propose", summary: "Asks the members to change the rules.",
            body: .object(.required("policy", .openObject())), gives: ProposalOpened.self
        ) { context in
            let id = context.path["id"]
            let policy = try Self.policy(context)
            return try await core.prepared {
                try await roll(id)
            } decide: { roll in
                try await context.decide(
                    core.maker,
                    rule {
                        try ProposalRules.open(
                            $0, id, policy: policy, roll: roll.voters, list: roll.list, rows: roll.rows, revision: roll.revision, $1)
                    })
            }
        }
    }

    /// Who may vote now, kept as evidence where it is long.
    private func roll(_ id: String) async throws -> Roll {
        let datanet = try await core.maker.query { try $0.datanet(id) }
        var rows: [String: Int] = [:]
        if datanet.policy.voting == "row" {
            for item in try await core.lists.live(id, core.maker).items { rows[item.owner, default: 0] += 1 }
        }
        let counted = rows
        let voters = try await core.maker.query { try ProposalRules.roll($0, id, rows: counted) }
        try await core.lists.put(voters)
        return Roll(rows: rows, revision: datanet.revision, voters: voters, list: try EvidenceForm.of(voters).list)
    }

    private var proposals: Route {
        read(
            "/v1/datanets/{id}/proposals", operation: "proposals", summary: "A Datanet's proposals, newest first.",
            query: Page.parameters(), replies: [.json(200, "A page of proposals.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "proposals", newestFirst: true,
                """
                select id, proposer, policy, voting, opened, closes, outcome, in_favour, against, enacted, position
                from datanet.proposals where datanet = $1
                """, [.text(context.path["id"])]
            ) { row in
                [
                    "id": .string(try row.text("id")), "proposer": .string(try row.text("proposer")),
                    "policy": try Self.parsed(row, "policy"),
                    "voting": .string(try row.text("voting")), "opened": try Self.date(row, "opened"),
                    "closes": try Self.date(row, "closes"),
                    "outcome": .string(try row.text("outcome")), "in_favour": .string(String(try row.int128("in_favour"))),
                    "against": .string(String(try row.int128("against"))), "enacted": .bool(try row.bool("enacted")),
                ]
            }
        }
    }

    private var proposal: Route {
        read("/v1/proposals/{id}", operation: "proposal", summary: "A proposal, its votes and how it ended.") { context in
            let id = context.path["id"]
            let proposal = try await core.maker.query { state in
                guard let proposal = state.proposals[id] else { throw Problem(.notFound, "there is no proposal \(id)", field: "id") }
                return proposal
            }
            let votes = proposal.votes.sorted { $0.key < $1.key }.prefix(1_000).map { voter, vote in
                JSONValue.object([
                    "voter": .string(voter), "in_favour": .bool(vote.inFavour), "weight": .string(String(vote.weight)),
                ])
            }
            return .json(
                .members([
                    "proposal": proposal.opened.json, "in_favour": .string(String(proposal.inFavour)),
                    "against": .string(String(proposal.against)), "votes": .array(votes), "closed": proposal.closed?.json,
                    "enacted": .bool(proposal.isEnacted),
                ]))
        }
    }

    private var vote: Route {
        command(
            "/v1/proposals/{id}/votes", operation: "voteOnProposal", summary: "Votes, once, with the weight that the roll gives.",
            body: .object(.required("in_favour", .boolean)), gives: ProposalVoted.self
        ) { context in
            let id = context.path["id"]
            let voter = try context.caller.subject
            let way = context.json["in_favour"]?.boolValue ?? false
            let roll = try await core.maker.query { state in
                guard let proposal = state.proposals[id] else { throw Problem(.notFound, "there is no proposal \(id)", field: "id") }
                return proposal.opened.roll
            }
            // The roll never changes once the proposal is open.
            let weight = try await core.lists.entries(roll).first { $0.principal == voter }?.weight
            return try await context.decide(core.maker, rule { try ProposalRules.vote($0, id, inFavour: way, weight: weight, $1) })
        }
    }
}
