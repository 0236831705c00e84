/// What one service brings into an application: its routes and what must hold before it is ready.
public struct Mount: Sendable {
    /// The service's name; the tag of its routes in the OpenAPI document.
    public let name: String
    /// The routes, with their whole paths.
    public let routes: [Route]
    /// What `/readyz` asks.
    public let checks: [ReadinessCheck]

    /// Makes a mount.
    public init(_ name: String, routes: [Route], checks: [ReadinessCheck] = []) {
        self.name = name
        self.routes = routes
        self.checks = checks
    }
}
