internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Web

/// Panels, appeals and traps.
extension DatanetRoutes {
    var reviewRoutes: [Route] { [reviews, review, reviewItems, castVote, reopen, contributions, appeal, setTrap, revealTrap] }

    private var reviews: Route {
        read(
            "/v1/datanets/{id}/reviews", operation: "reviews", summary: "A Datanet's reviews, newest first.", query: Page.parameters(),
            replies: [.json(200, "A page of reviews.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "reviews", newestFirst: true,
                """
                select id, contribution, round, opened, outcome, admit, refuse, position from datanet.reviews where datanet = $1
                """, [.text(context.path["id"])]
            ) { row in
                [
                    "id": .string(try row.text("id")), "contribution": .string(try row.text("contribution")),
                    "round": .int(try row.int("round")),
                    "opened": try Self.date(row, "opened"), "outcome": .string(try row.text("outcome")),
                    "admit": .int(try row.int("admit")),
                    "refuse": .int(try row.int("refuse")),
                ]
            }
        }
    }

    private var review: Route {
        read(
            "/v1/datanets/{id}/reviews/{review}", operation: "review",
            summary: "A review: the draw with all that is needed to repeat it, and the votes once it is over."
        ) { context in
            let (id, name) = (context.path["id"], context.path["review"])
            let review = try await core.maker.query { state in
                guard let review = state.reviews[name], review.datanet == id else {
                    throw Problem(.notFound, "there is no review \(name) in \(id)", field: "review")
                }
                return review
            }
            // Votes stay unseen while others may still vote.
            var votes: [JSONValue]?
            if review.outcome != nil {
                var told: [JSONValue] = []
                for (voter, reason) in review.reasons {
                    let text = try await core.writings.text(reason, by: voter)
                    told.append(
                        .members([
                            "voter": .string(voter), "admit": review.votes[voter].map { .bool($0) }, "commitment": .digest(reason),
                            "reason": text.map { .string($0) },
                        ]))
                }
                votes = told
            }
            return .json(
                .members([
                    "id": .string(name), "datanet": .string(id), "contribution": .string(review.contribution),
                    "round": .count(review.round),
                    "appeals": review.appeals.map { .string($0) }, "opened": .string(review.opened.description), "draw": review.draw?.json,
                    "outcome": review.outcome.map { .string($0) }, "voted": .count(review.votes.count), "votes": votes.map { .array($0) },
                ]))
        }
    }

    private var castVote: Route {
        command(
            "/v1/datanets/{id}/reviews/{review}/votes", operation: "voteInReview", summary: "Votes as a member of the panel, with reasons.",
            body: .object(.required("admit", .boolean), .required("reason", .text(1...4_000))), gives: ReviewVoted.self
        ) { context in
            let review = context.path["review"]
            let (id, voter) = (context.path["id"], try context.caller.subject)
            let admit = context.json["admit"]?.boolValue ?? false
            // Nobody but the panel gets to store words here.
            try await core.maker.query { state in
                guard let found = state.reviews[review], found.datanet == id else {
                    throw Problem(.notFound, "there is no review \(review) in \(id)", field: "review")
                }
                guard found.draw?.panel.contains(voter) == true else {
                    throw Problem(.forbidden, "\(voter) is not on the panel of \(review)")
                }
            }
            let reason = try await write(Self.string(context, "reason"), context)
            return try await context.decide(core.maker, rule { try ReviewRules.vote($0, review, admit: admit, reason: reason, $1) })
        }
    }

    private var reopen: Route {
        command(
            "/v1/datanets/{id}/reviews", operation: "reopenReview",
            summary: "Brings a contribution before a panel again that stayed without a verdict for lack of validators.",
            body: .object(.required("contribution", Self.id)), gives: ReviewOpened.self
        ) { context in
            let contribution = Self.string(context, "contribution")
            try await check(contribution, in: context.path["id"])
            return try await context.decide(core.maker, rule { try AdmissionRules.reopen($0, contribution, $1) })
        }
    }

    private var contributions: Route {
        read(
            "/v1/datanets/{id}/contributions", operation: "datanetContributions", summary: "What came of the contributions, oldest first.",
            query: Page.parameters(), replies: [.json(200, "A page of contributions.", Page.schema(.openObject()))]
        ) { context in
            try await page(
                context, list: "datanetContributions",
                "select id, contributor, status, reason, position from datanet.contributions where datanet = $1",
                [.text(context.path["id"])]
            ) { row in
                [
                    "contribution": .string(try row.text("id")), "contributor": .string(try row.text("contributor")),
                    "status": .string(try row.text("status")), "reason": .string(try row.text("reason")),
                    "position": .int(try row.int("position")),
                ]
            }
        }
    }

    private var appeal: Route {
        command(
            "/v1/datanets/{id}/contributions/{contribution}/appeals", operation: "appeal",
            summary: "Takes a decision to a fresh panel, once.", body: .object(.required("reason", .text(1...4_000))),
            gives: ReviewOpened.self
        ) { context in
            let contribution = context.path["contribution"]
            try await check(contribution, in: context.path["id"])
            let reason = try await write(Self.string(context, "reason"), context)
            return try await context.decide(core.maker, rule { try AppealRules.appeal($0, contribution, reason: reason, $1) })
        }
    }

    private var setTrap: Route {
        command(
            "/v1/datanets/{id}/traps", operation: "setTrap",
            summary:
                "Binds an owner or curator to a verdict: SHA-256 of openledger/trap, contribution, admit or refuse, and salt, joined by LF.",
            body: .object(
                .required("commitment", .text(.sha256)),
                .required("contribution", Self.id, "Kept to oneself by the service: there is one trap on a contribution.")),
            gives: ReviewTrapCommitted.self
        ) { context in
            let id = context.path["id"]
            let commitment = try context.decode { try $0.object().digest("commitment") }
            let tag = try await core.writings.tag(ofTrapOn: Self.string(context, "contribution"))
            return try await context.decide(core.maker, rule { try AppealRules.setTrap($0, id, commitment: commitment, tag: tag, $1) })
        }
    }

    private var revealTrap: Route {
        command(
            "/v1/datanets/{id}/traps/{trap}/revelation", operation: "revealTrap",
            summary: "Opens a trap after its review; who voted otherwise loses stake.",
            body: .object(.required("contribution", Self.id), .required("admit", .boolean), .required("salt", .text(16...200))),
            gives: ReviewTrapRevealed.self
        ) { context in
            let trap = context.path["trap"]
            let (contribution, salt) = (Self.string(context, "contribution"), Self.string(context, "salt"))
            let admit = context.json["admit"]?.boolValue ?? false
            let tag = try await core.writings.tag(ofTrapOn: contribution)
            return try await context.decide(
                core.maker, rule { try AppealRules.reveal($0, trap, contribution: contribution, admit: admit, salt: salt, tag: tag, $1) })
        }
    }

    private func check(_ contribution: String, in datanet: String) async throws {
        try await core.maker.query { state in
            guard try state.contribution(contribution).datanet == datanet else {
                throw Problem(.notFound, "\(contribution) is not for \(datanet)", field: "contribution")
            }
        }
    }
}
