public import HTTPServer

extension Application {
    /// Serves on these addresses until `stop`. All serve all routes.
    /// - Parameter options: bounds and deadlines of the server; its bound on bodies is raised to what the routes take.
    /// - Throws: `ServerError` when an address cannot be opened; none is open then.
    public func serve(_ addresses: [Address], options: Options = Options()) async throws(ServerError) -> RunningApplication {
        var options = options
        options.limits.body = max(options.limits.body, largestBody)
        // A route that says how long it may take ends by itself; the server's own deadline is for those that say nothing.
        let pipeline = pipeline
        options.handlerPatience = { method, target in pipeline.manners(method, target)?.deadline.map { $0 + Self.grace } }
        if routes.contains(where: \.isBrief) { options.isBrief = { method, target in pipeline.manners(method, target)?.isBrief ?? false } }
        var servers: [Server] = []
        for address in addresses {
            do { servers.append(try Server(address, options: options, handler: handler)) } catch {
                for server in servers { await server.stop(grace: .zero) }
                throw error
            }
        }
        return RunningApplication(servers)
    }

    /// How much later than a route's own deadline the server gives up.
    private static var grace: Duration { .seconds(5) }

    private var largestBody: Int {
        routes.map { route in
            switch route.body {
            case .none: 0
            case .json(_, let limit, _), .rawJSON(_, let limit), .bytes(_, let limit), .stream(_, let limit): limit
            }
        }.max() ?? 0
    }
}

/// An application that serves.
public struct RunningApplication: Sendable {
    /// One server for each address, in the order given.
    public let servers: [Server]

    init(_ servers: [Server]) { self.servers = servers }

    /// The port of the first address; 0 when there is none or it is a UNIX socket.
    public var port: Int { servers.first?.port ?? 0 }

    /// Takes no more connections, lets requests in hand end within `grace`, then cancels them.
    public func stop(grace: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { await server.stop(grace: grace) } }
        }
    }
}
