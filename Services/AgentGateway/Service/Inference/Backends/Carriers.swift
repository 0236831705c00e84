internal import AdapterRouter
internal import Events
internal import HTTPClient
internal import Identity
internal import ServiceShell

/// How calls to backends travel: within this process to the embedded runner, by sockets to all others, and with a token that is
/// meant for them alone.
struct Carriers: Sendable {
    /// The way to the services of the house.
    let house: Peers
    private let tokens: ServiceTokenSource
    private let sockets: CurlTransport?

    init(_ context: ServiceContext, _ sites: [BackendSite]) throws {
        house = context.peers
        tokens = ServiceTokenSource(signer: context.signer)
        sockets = sites.allSatisfy(Self.isWithin) ? nil : try CurlTransport(options: Self.options(for: sites))
    }

    /// The router says how much runs at once, so connections must not be what others wait for: as many as all places and loads, and some to
    /// spare for adapters that leave.
    static func options(for sites: [BackendSite]) -> CurlOptions {
        let most = sites.filter { !isWithin($0) }.reduce(spare) { $0 + $1.profile.concurrency + $1.profile.loads }
        return CurlOptions(maximumConnectionsPerHost: most, maximumIdleConnections: max(256, most))
    }

    private static let spare = 16

    private static func isWithin(_ site: BackendSite) -> Bool { site.url.hasPrefix("http://embedded/") }

    func peers(for site: BackendSite) -> Peers {
        guard let sockets, !Self.isWithin(site) else { return house }
        let key = site.key
        let (tokens, isOurs) = (tokens, site.kind == .runner)
        return Peers(transport: sockets, addresses: [:]) { service in
            // The house's tokens stay in the house.
            if isOurs { return try await tokens.token(for: service.rawValue) }
            return key ?? "none"
        }
    }
}
