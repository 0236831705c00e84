internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import JSON
internal import Web

/// Looking at contributions and their items.
extension IngestRoutes {
    var readingRoutes: [Route] { [rules, list, contribution, progress, items, contributor] }

    private var rules: Route {
        Route(
            .get, "/v1/contributions/screening-rules", operation: "getScreeningRules",
            summary: "The rules that screen every contribution: numbers, codes, and the parts of the quality score.", access: .public,
            replies: [.json(200, "The rules.", .openObject(.required("version", .text)))]
        ) { _ in .json(ScreeningRules.document) }
    }

    private var list: Route {
        Route(
            .get, "/v1/contributions", operation: "listContributions",
            summary: "Contributions on the log, oldest first: the caller's own, or anybody's for services.", access: .authenticated,
            query: Page.parameters(limit: 1...200) + [
                QueryParameter("datanet", Self.id, "Only of this Datanet."),
                QueryParameter("contributor", Self.id, "Only of this contributor."),
            ],
            replies: [.json(200, "A page.", Page.schema(Self.contribution, atMost: 200))], problems: Self.problems
        ) { [self] context in
            let caller = try context.caller
            let isService = caller.kind == .service && caller.has("contributions:read")
            let contributor = context.query.string("contributor") ?? (isService ? nil : caller.subject)
            if let contributor, !maySee(caller, contributor: contributor) { throw Problem(.forbidden, "these are somebody else's") }
            let datanet = context.query.string("datanet")
            let page = Page(context, default: 50)
            let codec = CursorCodec(list: "contributions")
            let after = try page.cursor.map { try codec.decode($0) }
            let from = after.flatMap { Int($0.first ?? "") } ?? 0
            let found = try await core.maker.query { state -> [(Int, ContributionState)] in
                let ids =
                    contributor.map { state.byContributor[$0] ?? [] } ?? datanet.map { state.byDatanet[$0] ?? [] }
                    ?? state.byDatanet.keys.sorted().flatMap { state.byDatanet[$0] ?? [] }
                var found: [(Int, ContributionState)] = []
                for (index, id) in ids.enumerated().dropFirst(from) {
                    guard let one = state.contributions[id], datanet == nil || one.submitted.datanet == datanet else { continue }
                    found.append((index, one))
                    if found.count > page.limit { break }
                }
                return found
            }
            let next = found.count > page.limit ? codec.encode([String(found[page.limit].0)]) : nil
            return page.response(found.prefix(page.limit).map { Self.json($0.1) }, next: next)
        }
    }

    private var contribution: Route {
        Route(
            .get, "/v1/contributions/{contribution}", operation: "getContribution", summary: "A contribution, on its way in or settled.",
            access: .authenticated, path: ["contribution": Self.id], replies: [.json(200, "The contribution.", Self.contribution)],
            problems: Self.problems
        ) { [self] context in
            if let settled = try await settled(context) { return .json(Self.json(settled)) }
            return .json(json(try await draft(context)))
        }
    }

    private var progress: Route {
        Route(
            .get, "/v1/contributions/{contribution}/progress", operation: "followContribution",
            summary: "How a contribution gets on, as it happens, until it is done or has failed.", access: .authenticated,
            path: ["contribution": Self.id], replies: [.events("Each event's data is the contribution.")], problems: Self.problems
        ) { [self] context in
            let id = context.path["contribution"]
            if try await settled(context) == nil { _ = try await draft(context) }
            let events = AsyncThrowingStream<ServerSentEvent, any Error> { continuation in
                let task = Task {
                    do {
                        var last = JSONValue.null
                        while !Task.isCancelled {
                            let now = try await document(id)
                            if now != last {
                                continuation.yield(
                                    ServerSentEvent(event: "progress", data: String(decoding: JSON.write(now), as: UTF8.self)))
                            }
                            last = now
                            if ["done", "failed"].contains(now["state"]?.stringValue ?? "") { break }
                            try await Task.sleep(for: .milliseconds(200))
                        }
                        continuation.finish()
                    } catch {
                        continuation.finish(throwing: error)
                    }
                }
                continuation.onTermination = { _ in task.cancel() }
            }
            return SSE.response(events)
        }
    }

    private var items: Route {
        Route(
            .get, "/v1/contributions/{contribution}/items", operation: "listItems",
            summary: "The items of a contribution with their verdicts, in the order of the upload.", access: .authenticated,
            path: ["contribution": Self.id],
            query: Page.parameters(limit: 1...1000) + [QueryParameter("verdict", .oneOf("accepted", "rejected"), "Only these.")],
            replies: [
                .json(200, "A page.", Page.schema(.openObject(.required("item", Self.id), .required("verdict", .text)), atMost: 1000))
            ],
            problems: Self.problems
        ) { [self] context in
            guard let contribution = try await settled(context) else { throw IngestRefusal.noContribution(context.path["contribution"]) }
            let page = Page(context, default: 200)
            let codec = CursorCodec(list: "items")
            let from = try page.cursor.map { try codec.decode($0) }.flatMap { Int($0.first ?? "") } ?? 0
            let verdict = context.query.string("verdict")
            let all = try await core.items(of: contribution)
            var shown: [JSONValue] = []
            var next: String?
            for (index, item) in all.enumerated().dropFirst(from) where verdict == nil || item.verdict == verdict {
                if shown.count == page.limit {
                    next = codec.encode([String(index)])
                    break
                }
                shown.append(item.json)
            }
            return page.response(shown, next: next)
        }
    }

    private var contributor: Route {
        Route(
            .get, "/v1/contributors/{contributor}", operation: "getContributor", summary: "What somebody has contributed, in numbers.",
            access: .authenticated, path: ["contributor": Self.id],
            replies: [
                .json(
                    200, "The numbers.",
                    .openObject(.required("contributor", Self.id), .required("contributions", .count), .required("accepted", .count)))
            ], problems: Self.problems
        ) { [self] context in
            let id = context.path["contributor"]
            let caller = try context.caller
            let state = try await core.maker.query { state in
                let own = (state.byContributor[id] ?? []).compactMap { state.contributions[$0] }
                return (own, state.erasedOwners[id], state.claimedBy[id])
            }
            guard maySee(caller, contributor: id) || state.2 == caller.subject else {
                throw Problem(.notFound, "there is no contributor \(id) for you to see")
            }
            var object: JSONObject = [
                "contributor": .string(id), "contributions": .int(Int64(state.0.count)),
                "items": .int(Int64(state.0.reduce(0) { $0 + $1.submitted.items })),
                "accepted": .int(Int64(state.0.reduce(0) { $0 + ($1.screened?.accepted ?? 0) })),
                "drafts": .array(try await core.drafts.drafts(of: id).map { json($0) }), "erased": .bool(state.1 != nil),
            ]
            if let receipt = state.1?.receipt { object["receipt"] = .string(receipt.prefixed) }
            if let principal = state.2 { object["claimed_by"] = .string(principal) }
            return .json(.object(object))
        }
    }
}
