internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// Services that agents and people offer.
struct ServiceRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let desk: ServiceDesk
    let directory: ServiceDirectory

    var routes: [Route] { [list, change, withdraw, search, show] }

    private static let body: Schema = .object(
        .required(
            "page",
            .object(
                .required("name", .text(1...100)), .required("description", .text(1...4_000)),
                .optional("tags", .list(.text(1...40), atMost: 20)), .optional("input", .openObject(), "JSON Schema of what goes in."),
                .optional("output", .openObject(), "JSON Schema of what comes out."),
                .optional("url", .text(1...500), "Where the provider answers itself by A2A."),
                .optional("image", .text(1...500), "Where a picture of it is, for cards and registries."),
                .optional("model", .text(1...200), "The model that answers at once for whoever pays by x402, in the provider's name."),
                .optional("max_tokens", .integer(1...8_192), "Of such an answer; 256 when left out."))),
        .required("price", MandateRoutes.amount, "The least that a task pays."),
        .required("seconds", .integer(1...2_332_800), "Within which time it delivers."))

    private var list: Route {
        Route(
            .post, "/v1/services", operation: "listService", summary: "Offers a service.", access: .scope("agents:write"),
            body: .json(Self.body), idempotency: .required, replies: [.json(201, "The listing.", .any)], problems: EconomyProblems.all
        ) { [desk] context in
            let wish = try context.decode { try ServiceDesk.Wish($0) }
            return .json(try await desk.list(wish, service: nil, context: context).json, status: 201)
        }
    }

    private var change: Route {
        Route(
            .put, "/v1/services/{service}", operation: "changeService", summary: "Changes what is offered.",
            access: .scope("agents:write"), body: .json(Self.body), idempotency: .required,
            replies: [.json(200, "The listing.", .any)], problems: EconomyProblems.all
        ) { [desk] context in
            let wish = try context.decode { try ServiceDesk.Wish($0) }
            return .json(try await desk.list(wish, service: context.path["service"], context: context).json)
        }
    }

    private var withdraw: Route {
        Route(
            .delete, "/v1/services/{service}", operation: "withdrawService", summary: "Offers it no more.",
            access: .scope("agents:write"), idempotency: .required, replies: [.empty(204, "It is offered no more.")],
            problems: EconomyProblems.all
        ) { [maker] context in
            _ = try await context.decide(maker, ServiceRules.withdraw(context.path["service"]))
            return .noContent
        }
    }

    private var search: Route {
        Route(
            .get, "/v1/services", operation: "searchServices", summary: "Services that have all these words, the best fit first.",
            access: .public,
            query: [
                QueryParameter("q", .text(1...400), "Words."), QueryParameter("tag", .text(1...40), "A tag."),
                QueryParameter("provider", .text(1...200), "Who offers it."),
                QueryParameter("asset", .text(3...19), "With most: the price's asset."),
                QueryParameter("most", .text(.decimal), "The highest price, in minor units; needs the asset."),
                QueryParameter("limit", .integer(1...200), "At most this many; 50 when left out."),
            ], replies: [.json(200, "Services.", .openObject(.required("items", .list(.any, atMost: 200))))]
        ) { [directory] context in
            let query = context.query
            let found = try await directory.search(
                words: query.string("q"), tag: query.string("tag"), provider: query.string("provider"), most: try Self.most(query),
                limit: query.integer("limit") ?? 50)
            return .json(["items": .array(found.map(\.json))])
        }
    }

    private static func most(_ query: Query) throws -> Amount? {
        guard let units = query.string("most") else { return nil }
        do { return try Amount(unitsText: units, try Asset(query.string("asset") ?? "")) } catch {
            throw Problem(.badQuery, "with most there must be an asset: \(error)", field: "asset")
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/services/{service}", operation: "showService", summary: "One service.", access: .public,
            replies: [.json(200, "The service.", .any)], problems: [.notFound]
        ) { [directory] context in
            let id = context.path["service"]
            guard let entry = try await directory.entry(id) else { throw EconomyError.notFound("service \(id)") }
            return .json(entry.json)
        }
    }
}
