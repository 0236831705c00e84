internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import JSON
internal import ServiceShell
internal import Web

/// Taking consent back, and having content erased.
extension IngestRoutes {
    var consentRoutes: [Route] { [withdraw, withdrawAll, erase, eraseAll] }

    private static let named: Schema = .object(
        .optional("items", .list(id, atMost: IngestRules.mostItems), "The items; none means all of the contribution."))

    private static let receipt: Schema = .openObject(
        .required("receipt", .text, "SHA-256 of the document, as the event on the log has it."), .required("document", .any))

    private var withdraw: Route {
        Route(
            .post, "/v1/contributions/{contribution}/withdrawal", operation: "withdrawContribution",
            summary: "Takes consent back: later snapshots, indexes and adapters may not use it. What was paid stays paid.",
            access: Self.changing, path: ["contribution": Self.id], body: .json(Self.named), idempotency: .required,
            replies: [.json(200, "The contribution.", Self.contribution)], problems: Self.problems
        ) { [self] context in
            let id = context.path["contribution"]
            let items = try Self.items(context)
            let actor = try context.caller.subject
            // Items of named authors are theirs as well as the contributor's.
            var owners: [String] = []
            if let contribution = try await core.maker.query({ $0.contributions[id] }) {
                for item in items { if let place = try await core.places.place(of: item, in: contribution) { owners.append(place.owner) } }
            }
            let named = owners
            _ = try await context.decide(core.maker) { state, _ in
                try IngestRules.withdraw(state, id, items: items, owners: named, actor: actor)
            }
            return .json(try await document(id))
        }
    }

    private var withdrawAll: Route {
        Route(
            .post, "/v1/contributors/{contributor}/withdrawal", operation: "withdrawContributor",
            summary:
                "Takes consent back to all that the caller has contributed so far, everywhere or to one Datanet; or to all that others have brought of an author who the caller is.",
            access: Self.changing, path: ["contributor": Self.id],
            body: .json(.object(.optional("datanet", Self.id, "The only Datanet that is meant; none means all."))), idempotency: .required,
            replies: [
                .json(
                    200, "What is withdrawn as a whole now.",
                    .openObject(
                        .required("contributor", Self.id), .optional("datanet", Self.id),
                        .required("contributions", .count, "Contributions that are meant; each has its own event."),
                        .required("items", .count, "Items of them.")))
            ], problems: Self.problems
        ) { [self] context in
            let datanet = try context.decode { try $0.object().optionalString("datanet", bytes: 1...200) }
            let order = ContributorWithdrawn(contributor: context.path["contributor"], datanet: datanet)
            let actor = try context.caller.subject
            if order.contributor != actor, try await core.maker.find({ $0.claimedBy[order.contributor] }) == actor {
                return try await withdraw(ofAuthor: order, context)
            }
            _ = try await context.decide(core.maker) { state, _ in try IngestRules.withdraw(state, order, actor: actor) }
            // It is asked for, on the log: what is left undone here, is done when the service is up again.
            try await core.withdrawals.work()
            let found = try await core.maker.query { state in
                (state.byContributor[order.contributor] ?? []).compactMap { state.contributions[$0] }
                    .filter { $0.withdrawn == .all && (order.datanet == nil || $0.submitted.datanet == order.datanet) }
                    .map(\.submitted.items)
            }
            return Self.withdrawn(order, found)
        }
    }

    private static func withdrawn(_ order: ContributorWithdrawn, _ items: [Int]) -> Response {
        .json(
            .members([
                "contributor": .string(order.contributor), "datanet": order.datanet.map { .string($0) },
                "contributions": .count(items.count), "items": .count(items.reduce(0, +)),
            ]))
    }

    /// Takes back all that others have brought of an author who the caller is, whoever brought it.
    private func withdraw(ofAuthor order: ContributorWithdrawn, _ context: RequestContext) async throws -> Response {
        let actor = try context.caller.subject
        for attempt in 1... {
            let open = try await core.maker.query { state in
                state.onBehalf(of: order.contributor).compactMap { state.contributions[$0] }
            }
            let works = try await works(of: order.contributor, in: open)
            let looked = open.map(\.submitted.contribution)
            do {
                _ = try await context.decide(core.maker) { state, _ in
                    try AuthorRules.withdraw(state, order, looked: looked, works: works, actor: actor)
                }
                break
            } catch IngestRefusal.moved where attempt < Self.attempts { continue }
        }
        try await core.withdrawals.work()
        let all = try await core.maker.query { state in
            (state.byDatanet[AuthorRules.datanet(of: order.contributor) ?? ""] ?? []).compactMap { state.contributions[$0] }
        }
        let works = try await works(of: order.contributor, in: all)
        let withdrawn = try await core.maker.query { state in
            works.map { work in work.items.count { state.contributions[work.contribution]?.withdrawn.contains($0) == true } }
        }
        return Self.withdrawn(order, withdrawn.filter { $0 > 0 })
    }

    /// What each of some contributions has of an author, where it has something.
    private func works(
        of author: String, in contributions: [ContributionState]
    ) async throws -> [(contribution: String, items: [String])] {
        var works: [(contribution: String, items: [String])] = []
        for contribution in contributions {
            let items = try await core.places.items(of: author, in: contribution)
            if !items.isEmpty { works.append((contribution.submitted.contribution, items)) }
        }
        return works
    }

    /// How often something is prepared anew while contributions keep coming in.
    private static let attempts = 8

    private var erase: Route {
        Route(
            .post, "/v1/contributions/{contribution}/erasure", operation: "eraseContribution",
            summary: "Erases the content of items, or of all; the log and old proofs stay whole.", access: Self.changing,
            path: ["contribution": Self.id], body: .json(Self.named), idempotency: .required,
            replies: [.json(200, "The receipt.", Self.receipt)], problems: Self.problems
        ) { [self] context in
            let id = context.path["contribution"]
            let named = try Self.items(context)
            let actor = try context.caller.subject
            let contribution = try await core.maker.query { state -> ContributionState in
                let found = try IngestRules.own(state, id, actor)
                // The rule looks at the list before anything is removed.
                _ = try IngestRules.erase(
                    state, ContentErased(owner: actor, contribution: id, items: named, receipt: .zero), actor: actor)
                return found
            }
            let items = try await core.items(of: contribution).filter { named.isEmpty || named.contains($0.item) }
            for item in items { try await core.content.remove(commitment: item.commitment) }
            // The manifest says what there was.
            if named.isEmpty, let sealed = contribution.submitted.sealed { try await core.content.remove(commitment: sealed) }
            await core.screener.forget(contribution.submitted.datanet, items: items.map(\.item))
            let document: JSONValue = [
                "type": "openledger/erasure-receipt/v1", "owner": .string(actor), "method": "content-removed",
                "contribution": .string(id), "commitments": .array(items.map { .string($0.commitment.prefixed) }),
                "time": .string(core.clock().description),
            ]
            return try await receipt(
                context, document, ContentErased(owner: actor, contribution: id, items: named, receipt: .zero))
        }
    }

    private var eraseAll: Route {
        Route(
            .post, "/v1/contributors/{contributor}/erasure", operation: "eraseContributor",
            summary: "Destroys the key of the caller, or of an author who they are, and with it all content that was sealed with it.",
            access: Self.changing,
            path: ["contributor": Self.id], idempotency: .required, replies: [.json(200, "The receipt.", Self.receipt)],
            problems: Self.problems
        ) { [self] context in
            let owner = context.path["contributor"]
            let actor = try context.caller.subject
            guard try await core.maker.query({ $0.disposes(actor, of: owner) }) else { throw IngestRefusal.notYours(owner) }
            // A repeated command must not reach what came after it.
            if let first = try await context.decide(core.maker, { _, _ in [] }).facts.first {
                return try await shown(try ContentErased(try first.fact.data.object()).receipt)
            }
            // Work of authors whom the contributor named is sealed with their keys, and stays: it is theirs to take back.
            let datanets = try await core.maker.query { state in
                let own = (state.byContributor[owner] ?? []).compactMap { state.contributions[$0] }
                let others = state.contributions.values.filter { $0.submitted.kind == "on-behalf" }
                return Set((own + others).map(\.submitted.datanet))
            }
            for datanet in datanets { await core.screener.forget(datanet) }
            for draft in try await core.drafts.drafts(of: owner) {
                try await Upload(core: core).clear(draft)
                try await core.drafts.remove(draft.contribution)
            }
            // Who contributed nothing may have written elsewhere in the house, which goes by the event: there is a key to destroy then too.
            if try await core.keys.receipt(owner: owner) == nil { _ = try await core.keys.keyOrNew(of: owner) }
            let destroyed = try await core.keys.destroy(owner: owner, time: core.clock().description)
            var document: JSONObject = ["type": "openledger/erasure-receipt/v1"]
            for member in destroyed.json.objectValue?.members ?? [] { document[member.key] = member.value }
            return try await receipt(
                context, .object(document), ContentErased(owner: owner, contribution: nil, items: [], receipt: .zero))
        }
    }

    /// Keeps the receipt, puts its hash on the log, and gives both. A repeated command gets the first receipt.
    /// - Parameter event: with any hash in the receipt's place.
    // Not inlined: the optimiser of Swift 6.3 crashes on what it makes of it in its callers.
    @_optimize(none)
    private func receipt(_ context: RequestContext, _ document: JSONValue, _ event: ContentErased) async throws -> Response {
        let reference = try await core.evidence.put(document)
        let erased = ContentErased(owner: event.owner, contribution: event.contribution, items: event.items, receipt: reference.hash)
        var hash = reference.hash
        if let earlier = try await put(erased, context) { hash = earlier }
        return try await shown(hash)
    }

    private func shown(_ receipt: Digest) async throws -> Response {
        .json(["receipt": .string(receipt.prefixed), "document": try await core.evidence.value(receipt)])
    }

    /// Puts an erasure on the log.
    /// - Returns: the hash of its receipt, which is an earlier one where it had been erased before.
    @inline(never)
    private func put(_ erased: ContentErased, _ context: RequestContext) async throws -> Digest? {
        let actor = try context.caller.subject
        let outcome = try await context.decide(core.maker) { state, _ in try IngestRules.erase(state, erased, actor: actor) }
        if !outcome.facts.isEmpty { return try outcome.first(ContentErased.self).receipt }
        return try await core.maker.query { $0.erasedOwners[erased.owner]?.receipt }
    }

    private static func items(_ context: RequestContext) throws -> [String] {
        try context.decode { try $0.object().ids("items", atMost: IngestRules.mostItems) }
    }
}
