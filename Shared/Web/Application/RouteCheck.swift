/// Finds routes that cannot do what they say, before the first request does.
enum RouteCheck {
    static func check(_ routes: [Route]) throws(RouteError) {
        var operations: Set<String> = []
        for route in routes {
            guard operations.insert(route.operation).inserted else { throw .operationTwice(route.operation) }
            let names = try PathPattern(route.pattern).names
            if let unknown = route.path.keys.sorted().first(where: { !names.contains($0) }) {
                throw .contradiction(route.operation, "describes {\(unknown)}, which its path does not have")
            }
            if route.method == .get, !route.body.types.isEmpty { throw .contradiction(route.operation, "is a GET and takes a body") }
            if case .none = route.idempotency {
            } else if case .stream = route.body {
                throw .contradiction(route.operation, "takes an Idempotency-Key and a stream, which has no digest beforehand")
            }
            if Set(route.query.map(\.name)).count != route.query.count {
                throw .contradiction(route.operation, "has a query parameter twice")
            }
            switch route.access {
            case .scopes(let scopes), .scopesOrLoopback(let scopes):
                // An empty list would admit every caller without saying so.
                if scopes.isEmpty { throw .contradiction(route.operation, "needs scopes and names none") }
            case .public, .authenticated: break
            }
            guard !route.replies.isEmpty else { throw .contradiction(route.operation, "declares no reply") }
        }
    }
}
