internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import JSON
internal import ServiceShell
internal import Web

/// Authors whom others named when they brought in their work: they claim their account, and find what it has.
extension IngestRoutes {
    var authorRoutes: [Route] { [request, claims, grant, authored] }

    private static let claim: Schema = .openObject(
        .required("claim", id), .required("author", id), .required("principal", id), .required("datanet", id),
        .required("state", .oneOf("open", "granted")))

    private var request: Route {
        Route(
            .post, "/v1/contributors/claims", operation: "claimAuthor",
            summary: "Says that the caller is an author whom others named. An owner of the Datanet that has the work confirms it.",
            access: Self.changing,
            body: .json(
                .object(
                    .required("name", .text(1...500), "The name, as the rows have it."),
                    .optional("datanet", Self.id, "Whose rows name them; needed where several Datanets' do."))), idempotency: .required,
            replies: [.json(200, "The claim.", Self.claim)], problems: Self.problems
        ) { [self] context in
            let (name, datanet) = try context.decode { json in
                let fields = try json.object()
                return (try fields.string("name", bytes: 1...500), try fields.optionalString("datanet", bytes: 1...200))
            }
            let actor = try context.caller.subject
            let found = try await work(of: name, in: datanet)
            guard Set(found.map(\.datanet)).count < 2 else {
                throw Problem(
                    .unprocessable, "several Datanets have work of an author of that name, each with an account of its own: say which",
                    field: "/datanet")
            }
            let (author, contribution) = (found.first?.author ?? "", found.first?.contribution ?? "")
            _ = try await context.decide(core.maker) { state, moment in
                try AuthorRules.request(state, author: author, contribution: contribution, owners: [author], moment)
            }
            guard let claim = try await core.maker.query({ $0.claim(of: author, by: actor) }) else { throw IngestRefusal.noAuthor }
            return .json(try await json(claim))
        }
    }

    private var claims: Route {
        Route(
            .get, "/v1/contributors/claims", operation: "listAuthorClaims",
            summary: "The caller's own claims, and those that wait for the caller as an owner of a Datanet.", access: .authenticated,
            replies: [.json(200, "The claims.", .object(.required("items", .list(Self.claim, atMost: 1_000))))], problems: Self.problems
        ) { [self] context in
            let subject = try context.caller.subject
            let found = try await core.maker.query { state in
                state.claims.values.filter { claim in
                    let datanet = state.contributions[claim.requested.contribution]?.submitted.datanet ?? ""
                    return claim.requested.principal == subject || claim.granted == nil && state.datanets[datanet]?.isOwner(subject) == true
                }.sorted { $0.requested.claim < $1.requested.claim }.prefix(1_000)
            }
            var shown: [JSONValue] = []
            for claim in found { shown.append(try await json(claim)) }
            return .json(["items": .array(shown)])
        }
    }

    private var grant: Route {
        Route(
            .post, "/v1/contributors/claims/{claim}/confirmation", operation: "confirmAuthorClaim",
            summary: "An owner of the Datanet has seen a proof: the author's account is the claimant's.", access: Self.changing,
            path: ["claim": Self.id],
            body: .json(.object(.required("proof", .oneOf("mail", "domain", "vouched"), "What was proven."))), idempotency: .required,
            replies: [.json(200, "The claim.", Self.claim)], problems: Self.problems
        ) { [self] context in
            let id = context.path["claim"]
            let proof = try context.decode { try $0.object().string("proof") }
            _ = try await context.decide(core.maker) { state, moment in try AuthorRules.grant(state, id, proof: proof, moment) }
            guard let claim = try await core.maker.query({ $0.claims[id] }) else { throw IngestRefusal.noClaim(id) }
            return .json(try await json(claim))
        }
    }

    private var authored: Route {
        Route(
            .get, "/v1/contributors/{contributor}/items", operation: "listAuthoredItems",
            summary: "What others brought in of an author, for the principal who claimed the author's account.", access: .authenticated,
            path: ["contributor": Self.id], query: Page.parameters(limit: 1...1000),
            replies: [.json(200, "A page.", Page.schema(.openObject(.required("item", Self.id)), atMost: 1000))], problems: Self.problems
        ) { [self] context in
            let author = context.path["contributor"]
            let subject = try context.caller.subject
            let page = Page(context, default: 200)
            let codec = CursorCodec(list: "authored")
            let from = try page.cursor.map { try codec.decode($0) } ?? ["", "0"]
            let start = (contribution: from.first ?? "", index: Int(from.last ?? "") ?? 0)
            let held = try await core.maker.query { state -> [ContributionState]? in
                guard state.claimedBy[author] == subject else { return nil }
                return Self.onBehalf(state).filter { $0.submitted.contribution >= start.contribution }
            }
            guard let held else { throw IngestRefusal.notYours(author) }
            var shown: [JSONValue] = []
            for contribution in held {
                let id = contribution.submitted.contribution
                let first = id == start.contribution ? start.index : 0
                for (index, item) in try await core.items(of: contribution).enumerated().dropFirst(first) where item.owner == author {
                    if shown.count == page.limit { return page.response(shown, next: codec.encode([id, String(index)])) }
                    shown.append(item.json)
                }
            }
            return page.response(shown, next: nil)
        }
    }

    /// Where an author of a name has work: one contribution of each Datanet.
    /// - Parameter datanet: where to look; nil for everywhere.
    private func work(of name: String, in datanet: String?) async throws -> [Work] {
        let key = try await AuthorNames(keys: core.keys).key()
        var found: [Work] = []
        for contribution in try await core.maker.query({ Self.onBehalf($0) }) {
            let (id, place) = (contribution.submitted.contribution, contribution.submitted.datanet)
            guard datanet == nil || datanet == place, !found.contains(where: { $0.datanet == place }) else { continue }
            let account = AuthorNames.account(name, datanet: place, key)
            if try await core.places.hasItem(of: account, in: contribution) {
                found.append(Work(author: account, contribution: id, datanet: place))
            }
        }
        return found
    }

    /// Work of an author in a Datanet.
    private struct Work {
        let author: String
        let contribution: String
        let datanet: String
    }

    private static func onBehalf(_ state: IngestState) -> [ContributionState] {
        state.contributions.values.filter { $0.submitted.kind == "on-behalf" }
            .sorted { $0.submitted.contribution < $1.submitted.contribution }
    }

    private func json(_ claim: AuthorClaim) async throws -> JSONValue {
        let requested = claim.requested
        let datanet = try await core.maker.query { $0.contributions[requested.contribution]?.submitted.datanet ?? "" }
        var object: JSONObject = [
            "claim": .string(requested.claim), "author": .string(requested.author), "principal": .string(requested.principal),
            "contribution": .string(requested.contribution), "datanet": .string(datanet), "requested": .string(claim.time.description),
            "state": .string(claim.granted == nil ? "open" : "granted"),
        ]
        if let granted = claim.granted { object["proof"] = .string(granted.proof) }
        return .object(object)
    }
}
