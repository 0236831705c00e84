/// What one service brings into an application: its routes and what must hold before it is ready.
public struct Mount: Sendable {
    /// The service's name; the tag of its routes in the OpenAPI document.
    public let name: String
    /// The routes, with their whole paths.
    public let routes: [Route]
    /// What `/readyz` asks.
    public let checks: [ReadinessCheck]
    /// How it is said that there is nothing, by the first segment of paths where neither this nor another service has anything like it.
    public let otherwise: [String: ErrorStyle]

    /// Makes a mount.
    public init(_ name: String, routes: [Route], checks: [ReadinessCheck] = [], otherwise: [String: ErrorStyle] = [:]) {
        self.name = name
        self.routes = routes
        self.checks = checks
        self.otherwise = otherwise
    }
}
