/// How errors look at paths where no route is, or none of that method: as at the routes that are nearest.
struct NearestStyle: Sendable {
    private let routes: [(segments: [Substring], style: ErrorStyle)]
    private let otherwise: [String: ErrorStyle]

    /// - Parameter otherwise: by first segment, where no route has more of the path than that.
    init(_ routes: [Route], otherwise: [String: ErrorStyle]) {
        self.routes = routes.map { route in
            (Array(route.pattern.split(separator: "/").prefix { !$0.hasPrefix("{") }), route.errors)
        }
        self.otherwise = otherwise
    }

    /// The style of the routes that share most segments with a path from its beginning, the first of them where several do.
    func style(at path: Substring) -> ErrorStyle {
        let segments = path.split(separator: "/")
        var best: (shared: Int, style: ErrorStyle)?
        for route in routes {
            let shared = zip(route.segments, segments).prefix { $0 == $1 }.count
            if shared > max(1, best?.shared ?? 0) { best = (shared, route.style) }
        }
        return best?.style ?? segments.first.flatMap { otherwise[String($0)] } ?? .problem
    }
}
