internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import Web

/// Who brought how much, and where a word stands.
extension DatanetRoutes {
    var searchRoutes: [Route] { [leaderboard, search] }

    private var leaderboard: Route {
        read(
            "/v1/datanets/{id}/leaderboard", operation: "leaderboard",
            summary: "Owners by what they have in the Datanet: near-duplicates of earlier items count for nothing.",
            query: [QueryParameter("limit", .integer(1...500), "Most owners.")]
        ) { context in
            let id = context.path["id"]
            _ = try await core.maker.query { try $0.datanet(id) }
            let found = try await rows(
                context,
                """
                select owner, count(*)::bigint as items, coalesce(sum(tokens) filter (where cluster = item), 0)::bigint as value,
                    sum(tokens)::bigint as tokens
                from datanet.items where datanet = $1 and not dropped group by owner order by value desc, tokens desc, owner limit $2
                """, [.text(id), .int(Int64(context.query.integer("limit") ?? 100))])
            let items: [JSONValue] = try found.enumerated().map { index, row in
                [
                    "rank": .count(index + 1), "owner": .string(try row.text("owner")), "items": .int(try row.int("items")),
                    "tokens": .int(try row.int("tokens")), "value": .int(try row.int("value")),
                ]
            }
            return .json(["items": .array(items)])
        }
    }

    private var search: Route {
        read(
            "/v1/datanets/{id}/search", operation: "searchDatanet",
            summary: "Items whose text has these words; for members, and where reading has a price for who may read.",
            access: .authenticated,
            query: [
                QueryParameter("q", .text(1...400), "Words; \"a phrase\", or, and -not are understood.", required: true),
                QueryParameter("limit", .integer(1...100), "Most items."),
                QueryParameter("of", .oneOf("admitted", "snapshot"), "All that is admitted, or what the latest snapshot has of it."),
            ]
        ) { context in
            let id = context.path["id"]
            let caller = try context.caller
            try await core.maker.query { state in
                let datanet = try state.datanet(id)
                // Where reading has a price, nobody reads by bits what they did not pay for, because they let themselves in to contribute.
                let isOfficer = datanet.has(caller.subject, .validator) || datanet.readsByRole(caller.subject)
                let isMember =
                    isOfficer || datanet.isFree && datanet.members[caller.subject] != nil
                    || AccessRules.right(state, id, of: caller.subject, purpose: nil, at: core.clock()) != nil
                guard isMember || caller.kind == .service && caller.has("datanets:content") else {
                    throw Problem(.forbidden, "\(caller.subject) is no member of \(id)")
                }
            }
            let limit = context.query.integer("limit") ?? 20
            let text = (context.query.string("q") ?? "").replacing("\0", with: " ")
            let names = context.query.string("of") == "snapshot" ? try await latestNames(id) : nil
            var items: [JSONValue] = []
            // Of a snapshot: page by page, as long as what is newer comes between.
            let page = max(limit, 50)
            for offset in stride(from: 0, to: names == nil ? 1 : 20 * page, by: page) {
                let found = try await hits(context, id, text, limit: names == nil ? limit : page, offset: offset)
                for row in found {
                    let item = try row.text("item")
                    guard items.count < limit, names?.contains(item) ?? true else { continue }
                    items.append([
                        "item": .string(item), "contribution": .string(try row.text("contribution")),
                        "owner": .string(try row.text("owner")), "excerpt": .string(try row.text("excerpt")),
                    ])
                }
                if items.count >= limit || found.count < page { break }
            }
            return .json(["items": .array(items)])
        }
    }

    /// The ids of the latest snapshot's items; none where nothing is published.
    private func latestNames(_ id: String) async throws -> Set<String> {
        let latest = try await core.maker.query { state in try state.datanet(id).snapshots.last.flatMap { state.snapshots[$0] } }
        guard let published = latest?.published else { return [] }
        return try await available { try await core.lists.names(published.list, count: published.items) }
    }

    /// Dropped items are left out even while their texts wait to be purged.
    private func hits(_ context: RequestContext, _ id: String, _ text: String, limit: Int, offset: Int) async throws -> Rows {
        try await rows(
            context,
            """
            select t.item, t.contribution, i.owner, ts_headline('simple', t.body, q.query, 'MaxFragments=2,MaxWords=20,MinWords=5') as excerpt
            from datanet.texts t
            join datanet.items i on i.contribution = t.contribution and i.item = t.item and not i.dropped,
                websearch_to_tsquery('simple', $2) as q (query)
            where t.datanet = $1 and t.words @@ q.query order by ts_rank(t.words, q.query) desc, t.item limit $3 offset $4
            """, [.text(id), .text(text), .int(Int64(limit)), .int(Int64(offset))])
    }
}
