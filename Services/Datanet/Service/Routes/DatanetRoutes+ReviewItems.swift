internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// What a panel decides on, for the panel.
extension DatanetRoutes {
    var reviewItems: Route {
        Route(
            .get, "/v1/datanets/{id}/reviews/{review}/items", operation: "reviewItems",
            summary:
                "The items that the review is about with their content, one JSON object a line, for members of its panel while it is open. Every reading is an event on the log.",
            access: .scope("datanets:read"), replies: [.content(200, "JSON lines.", type: "application/jsonl")], problems: Self.problems
        ) { context in
            let (id, name) = (context.path["id"], context.path["review"])
            let reader = try context.caller.subject
            let found = try await core.maker.query { state -> (Contribution, String) in
                guard let review = state.reviews[name], review.datanet == id else {
                    throw Problem(.notFound, "there is no review \(name) in \(id)", field: "review")
                }
                return (try state.contribution(review.contribution), try state.datanet(id).media)
            }
            // What the panel's verdict would let in: all that screening took, but for what no panel can help.
            let listed = try await core.lists.entries(found.0.items)
            let items = try await core.maker.query { AdmissionPlan($0, found.0, items: listed, judgingQuality: false).granted }
            let command = "openledger/datanet/access/\(Hex.encode(Random.bytes(16)))"
            _ = try await core.maker.decide(
                .command(id: command, digest: SHA256.hash(utf8: command)), actor: reader, correlation: context.trace.traceID,
                rule { try AccessRules.review($0, name, items: items.count, $1) })
            let headers: Headers = ["Content-Type": "application/jsonl", "Cache-Control": "no-store"]
            return contents(of: items, present: Set(items.map(\.item)), media: found.1, headers)
        }.writing()
    }
}
