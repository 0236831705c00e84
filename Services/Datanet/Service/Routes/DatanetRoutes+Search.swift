internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Telemetry
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
            summary:
                "Items whose text has these words; for members, and where reading has a price for who may read. Every search is an event on the log.",
            access: .authenticated,
            query: [
                QueryParameter("q", .text(1...400), "Words; \"a phrase\", or, and -not are understood.", required: true),
                QueryParameter("limit", .integer(1...SearchRules.mostItems), "Most items."),
                QueryParameter("of", .oneOf("admitted", "snapshot"), "All that is admitted, or what the latest snapshot has of it."),
            ]
        ) { context in
            let id = context.path["id"]
            let caller = try context.caller
            // What a service looks up for an answer stands in the answer's own event.
            let isService = caller.kind == .service && caller.has("datanets:content")
            try await core.maker.query { state in
                _ = try state.datanet(id)
                guard isService || SearchRules.right(state, id, of: caller.subject, at: core.clock()) != nil else {
                    throw Problem(.forbidden, "\(caller.subject) is no member of \(id)")
                }
            }
            // Who asks for the head alone is shown nothing.
            if context.request.method == "HEAD" { return Response(headers: ["Content-Type": "application/json"]) }
            if isService { return .json(["items": .array(try await found(context, id).map(\.json))]) }
            return try await noted(context, id, by: caller.subject)
        }.writing()
    }

    /// What a search found.
    private struct Hit: Sendable {
        let item: FoundItem
        let excerpt: String

        var json: JSONValue {
            [
                "item": .string(item.item), "contribution": .string(item.contribution), "owner": .string(item.owner),
                "excerpt": .string(excerpt),
            ]
        }
    }

    /// Searches, and shows what was found once that stands on the log.
    private func noted(_ context: RequestContext, _ id: String, by reader: String) async throws -> Response {
        // A search that is asked for again is another one.
        let command = "openledger/datanet/access/\(Hex.encode(Random.bytes(16)))"
        let (query, salt) = try await core.writings.commitment(to: context.query.string("q") ?? "", by: reader, as: command)
        var attempt = 1
        while true {
            let hits = try await found(context, id)
            do {
                let outcome = try await core.maker.decide(
                    .command(id: command, digest: SHA256.hash(utf8: command)), actor: reader, correlation: context.trace.traceID,
                    rule { try SearchRules.search($0, id, query: query, found: hits.map(\.item), $1) })
                let access = try outcome.first(AccessSearched.self).access
                return .json(
                    ["access": .string(access), "salt": .string(salt.hex), "items": .array(hits.map(\.json))],
                    headers: ["Cache-Control": "no-store"])
            } catch let refusal as DatanetRefusal where refusal.kind == .stale && attempt < DatanetCore.attempts {
                attempt += 1
            }
        }
    }

    /// What has the words, best first, and has not been taken back.
    private func found(_ context: RequestContext, _ id: String) async throws -> [Hit] {
        let limit = context.query.integer("limit") ?? 20
        let text = (context.query.string("q") ?? "").replacing("\0", with: " ")
        let names = context.query.string("of") == "snapshot" ? try await latestNames(id) : nil
        var shown: [Hit] = []
        // Texts may be indexed or purged between two pages: what has moved is shown once.
        var seen: Set<FoundItem> = []
        // Of a snapshot: page by page, as long as what is newer comes between.
        let page = max(limit, 50)
        for offset in stride(from: 0, to: names == nil ? 1 : 20 * page, by: page) {
            let rows = try await hits(context, id, text, limit: names == nil ? limit : page, offset: offset)
            for row in rows {
                let item = try row.text("item")
                guard shown.count < limit, names?.contains(item) ?? true else { continue }
                let found = FoundItem(item: item, contribution: try row.text("contribution"), owner: try row.text("owner"))
                if seen.insert(found).inserted { shown.append(Hit(item: found, excerpt: try row.text("excerpt"))) }
            }
            if shown.count >= limit || rows.count < page { break }
        }
        let all = shown
        // The rows may be a moment behind what the decisions know.
        return try await core.maker.query { state in all.filter { SearchRules.isThere($0.item, in: id, state) } }
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
