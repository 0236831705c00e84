internal import AdapterRouter
internal import Events
internal import HTTP
internal import JSON
internal import Web

/// What answers requests, for who runs the house.
struct BackendRoutes: Sendable {
    let desk: RouterDesk

    var routes: [Route] { [list, drain] }

    private static let access = Access.scope("backends:administer")

    private var list: Route {
        Route(
            .get, "/v1/inferences/backends", operation: "listBackends",
            summary: "Which backends there are, how they do, and which adapters are ready where.", access: Self.access,
            replies: [.json(200, "Backends.", .any)]
        ) { [desk] _ in
            let (backends, waiting) = await desk.report()
            return .json([
                "waiting": .count(waiting),
                "items": .array(
                    backends.map { figures, adapters in
                        [
                            "name": .string(figures.name), "open": .bool(figures.isOpen), "draining": .bool(figures.isDraining),
                            "running": .count(figures.running), "loading": .count(figures.loading), "served": .count(figures.served),
                            "hits": .count(figures.hits), "misses": .count(figures.misses), "evictions": .count(figures.evictions),
                            "load_microseconds": .int(figures.loadTime), "adapters": .texts(adapters.map(\.description)),
                        ]
                    }),
            ])
        }
    }

    private var drain: Route {
        Route(
            .post, "/v1/inferences/backends/{backend}/draining", operation: "drainBackend",
            summary: "Sends a backend nothing new, so that it can be taken away once nothing runs there; or sends to it again.",
            access: Self.access, body: .json(.object(.required("draining", .boolean))), replies: [.empty(204, "It is so.")],
            problems: [.notFound]
        ) { [desk] context in
            let name = context.path["backend"]
            let isDraining = try context.decode { try $0.object().bool("draining") }
            guard await desk.drain(name, isDraining) else { throw Problem(.notFound, "there is no backend \(name)") }
            return .noContent
        }
    }
}
